import {
  type EngineReading,
  type GpuReading,
  type HostReading,
  replicaPhaseSchema,
  upgradePhaseSchema,
} from '@ai-fabric/shared';
import type { Registry } from 'prom-client';
import type { LiveHost, LiveReplica, LiveView } from '../live/live-view.js';
import { addLiveCounter, addLiveGauge, type LiveValue } from './live-gauge.js';

const presences = ['online', 'late', 'away', 'unseen'] as const;
const HERTZ_PER_MHZ = 1_000_000;

type Field<Reading> = readonly [name: string, help: string, read: (reading: Reading) => number | null];

const HOST_FIELDS: readonly Field<HostReading>[] = [
  ['cpu_utilisation_ratio', 'CPU utilisation of all threads together, 0 to 1', (host) => host.cpuRatio],
  ['memory_used_bytes', 'Memory in use', (host) => host.memoryUsedBytes],
  ['memory_total_bytes', 'Memory in all', (host) => host.memoryTotalBytes],
  ['disk_used_bytes', 'Disk in use, where the host keeps its models', (host) => host.diskUsedBytes],
  ['disk_total_bytes', 'Disk in all', (host) => host.diskTotalBytes],
  [
    'network_received_bytes_per_second',
    'Received over the network, as its agent measured the rate',
    (host) => host.networkReceivedBytesPerSecond,
  ],
  [
    'network_sent_bytes_per_second',
    'Sent over the network, as its agent measured the rate',
    (host) => host.networkSentBytesPerSecond,
  ],
];

const CARD_FIELDS: readonly Field<GpuReading>[] = [
  ['utilisation_ratio', 'GPU utilisation, 0 to 1', (gpu) => gpu.utilisationRatio],
  ['vram_used_bytes', 'VRAM in use', (gpu) => gpu.vramUsedBytes],
  ['vram_total_bytes', 'VRAM in all', (gpu) => gpu.vramTotalBytes],
  ['temperature_celsius', 'Temperature of the GPU', (gpu) => gpu.temperatureCelsius],
  ['power_watts', 'Power draw', (gpu) => gpu.powerWatts],
  ['power_limit_watts', 'What the card may draw', (gpu) => gpu.powerLimitWatts],
  ['sm_clock_hertz', 'Clock of the multiprocessors', (gpu) => hertz(gpu.smClockMhz)],
  ['fan_ratio', 'Speed of the fan, 0 to 1', (gpu) => gpu.fanRatio],
];

const ENGINE_GAUGES: readonly Field<EngineReading>[] = [
  ['kv_usage_ratio', 'KV cache in use as the engine reports it, 0 to 1', (engine) => engine.kvUsageRatio],
  ['requests_running', 'Requests that the engine works on, whoever sent them', (engine) => engine.running],
  ['requests_waiting', "Requests in the engine's own queue", (engine) => engine.waiting],
];

const ENGINE_COUNTERS: readonly Field<EngineReading>[] = [
  ['prompt_tokens_total', 'Prompt tokens since the engine started', (engine) => engine.promptTokensTotal],
  [
    'generation_tokens_total',
    'Generated tokens since the engine started',
    (engine) => engine.generationTokensTotal,
  ],
  ['preemptions_total', 'Requests that the engine put back for want of KV cache', (e) => e.preemptionsTotal],
];

/** Hosts, cards and replicas as the live view has them at the time of the scrape. */
export function addFleetMetrics(registry: Registry, live: LiveView): void {
  addHostMetrics(registry, live);
  addAgentMetrics(registry, live);
  for (const [name, help, read] of CARD_FIELDS) {
    const metric = { name: `ai_fabric_gpu_${name}`, help, labelNames: ['host', 'gpu'] as const };
    addLiveGauge(registry, metric, () => cardValues(live, read));
  }
  addReplicaMetrics(registry, live);
}

function addHostMetrics(registry: Registry, live: LiveView): void {
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_host_presence',
      help: '1 for the presence that a host is in',
      labelNames: ['host', 'presence'],
    },
    () =>
      [...live.hosts()].flatMap((host) =>
        presences.map((presence) => ({
          labels: { host: host.name, presence },
          value: host.presence === presence ? 1 : 0,
        })),
      ),
  );
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_host_issues',
      help: 'Issues of a host, by code and severity; docs/runbooks says what to do',
      labelNames: ['host', 'code', 'severity'],
    },
    () => [...live.hosts()].flatMap(issueValues),
  );
  for (const [name, help, read] of HOST_FIELDS) {
    const metric = { name: `ai_fabric_host_${name}`, help, labelNames: ['host'] as const };
    addLiveGauge(registry, metric, () =>
      present(live).map((host) => ({
        labels: { host: host.name },
        value: host.sample && read(host.sample.host),
      })),
    );
  }
}

function addAgentMetrics(registry: Registry, live: LiveView): void {
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_agent_info',
      help: '1, with what the agent of a host is, as it told last',
      labelNames: ['host', 'version', 'commit', 'protocol'],
    },
    () =>
      [...live.hosts()].flatMap(({ name, agentVersion, agentCommit, protocolVersion }) =>
        agentVersion === null
          ? []
          : [
              {
                labels: {
                  ...{ host: name, version: agentVersion, commit: agentCommit ?? '' },
                  protocol: String(protocolVersion ?? ''),
                },
                value: 1,
              },
            ],
      ),
  );
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_agent_upgrades',
      help: 'Hosts whose agent tells of an upgrade in that phase',
      labelNames: ['phase'],
    },
    () => {
      const hosts = [...live.hosts()];
      return upgradePhaseSchema.options.map((phase) => ({
        labels: { phase },
        value: hosts.filter(({ upgrade }) => upgrade?.phase === phase).length,
      }));
    },
  );
}

function addReplicaMetrics(registry: Registry, live: LiveView): void {
  const labelNames = ['deployment', 'host'] as const;
  const labels = ({ deployment, host }: LiveReplica) => ({ deployment, host });
  const isThere = ({ host }: LiveReplica) => live.host(host)?.presence === 'online';
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_replica_ready',
      help: '1 where a replica proved a token and its host is there',
      labelNames,
    },
    () =>
      [...live.replicas()].map((replica) => ({
        labels: labels(replica),
        value: replica.status.phase === 'ready' && isThere(replica) ? 1 : 0,
      })),
  );
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_replica_phase',
      help: '1 for the phase that a replica is in, as its agent told last',
      labelNames: ['deployment', 'host', 'phase'],
    },
    () =>
      [...live.replicas()].flatMap((replica) =>
        replicaPhaseSchema.options.map((phase) => ({
          labels: { ...labels(replica), phase },
          value: replica.status.phase === phase ? 1 : 0,
        })),
      ),
  );
  const values = (read: Field<EngineReading>[2]) =>
    [...live.replicas()]
      .filter(isThere)
      .map((replica) => ({ labels: labels(replica), value: replica.reading && read(replica.reading) }));
  for (const [name, help, read] of ENGINE_GAUGES) {
    addLiveGauge(registry, { name: `ai_fabric_replica_${name}`, help, labelNames }, () => values(read));
  }
  for (const [name, help, read] of ENGINE_COUNTERS) {
    addLiveCounter(registry, { name: `ai_fabric_replica_${name}`, help, labelNames }, () => values(read));
  }
}

function issueValues(host: LiveHost): LiveValue<'host' | 'code' | 'severity'>[] {
  const counts = new Map<
    string,
    { readonly code: string; readonly severity: string; readonly count: number }
  >();
  for (const { code, severity } of host.issues) {
    const known = counts.get(`${code} ${severity}`) ?? { code, severity, count: 0 };
    counts.set(`${code} ${severity}`, { ...known, count: known.count + 1 });
  }
  return [...counts.values()].map(({ code, severity, count }) => ({
    labels: { host: host.name, code, severity },
    value: count,
  }));
}

function cardValues(live: LiveView, read: Field<GpuReading>[2]): LiveValue<'host' | 'gpu'>[] {
  return present(live).flatMap((host) =>
    Object.entries(host.sample?.gpus ?? {}).map(([gpu, reading]) => ({
      labels: { host: host.name, gpu },
      value: read(reading),
    })),
  );
}

/** The last reading of a host that is away is old: it has no line. */
function present(live: LiveView): LiveHost[] {
  return [...live.hosts()].filter(({ presence }) => presence === 'online' || presence === 'late');
}

function hertz(mhz: number | null): number | null {
  return mhz === null ? null : mhz * HERTZ_PER_MHZ;
}
