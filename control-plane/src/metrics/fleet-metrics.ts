import { Gauge, type Registry } from 'prom-client';
import type { LiveView } from '../live/live-view.js';

const presences = ['online', 'late', 'away', 'unseen'] as const;

/** Hosts, cards and replicas as the live view has them at the time of the scrape. */
export function addFleetMetrics(registry: Registry, live: LiveView): void {
  const registers = [registry];
  new Gauge({
    name: 'ai_fabric_host_presence',
    help: '1 for the presence that a host is in',
    labelNames: ['host', 'presence'],
    registers,
    collect() {
      this.reset();
      for (const host of live.hosts()) {
        for (const presence of presences) {
          this.set({ host: host.name, presence }, host.presence === presence ? 1 : 0);
        }
      }
    },
  });
  addCardGauge(
    registry,
    live,
    'ai_fabric_gpu_utilisation_ratio',
    'GPU utilisation, 0 to 1',
    'utilisationRatio',
  );
  addCardGauge(registry, live, 'ai_fabric_gpu_vram_used_bytes', 'VRAM in use', 'vramUsedBytes');
  addCardGauge(registry, live, 'ai_fabric_gpu_vram_total_bytes', 'VRAM in all', 'vramTotalBytes');
  addCardGauge(
    registry,
    live,
    'ai_fabric_gpu_temperature_celsius',
    'Temperature of the GPU',
    'temperatureCelsius',
  );
  addCardGauge(registry, live, 'ai_fabric_gpu_power_watts', 'Power draw', 'powerWatts');
  new Gauge({
    name: 'ai_fabric_replica_ready',
    help: '1 where a replica proved a token and its host is there',
    labelNames: ['deployment', 'host'],
    registers,
    collect() {
      this.reset();
      for (const replica of live.replicas()) {
        const ready = replica.status.phase === 'ready' && live.host(replica.host)?.presence === 'online';
        this.set({ deployment: replica.deployment, host: replica.host }, ready ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'ai_fabric_replica_kv_usage_ratio',
    help: 'KV cache in use as the engine reports it, 0 to 1',
    labelNames: ['deployment', 'host'],
    registers,
    collect() {
      this.reset();
      for (const { deployment, host, reading } of live.replicas()) {
        if (reading?.kvUsageRatio != null) this.set({ deployment, host }, reading.kvUsageRatio);
      }
    },
  });
}

type CardField =
  | 'utilisationRatio'
  | 'vramUsedBytes'
  | 'vramTotalBytes'
  | 'temperatureCelsius'
  | 'powerWatts';

/** A card whose driver has no value, or whose host is away, has no line: missing is never 0. */
function addCardGauge(
  registry: Registry,
  live: LiveView,
  name: string,
  help: string,
  field: CardField,
): void {
  new Gauge({
    name,
    help,
    labelNames: ['host', 'gpu'],
    registers: [registry],
    collect() {
      this.reset();
      for (const host of live.hosts()) {
        if (host.presence === 'away' || host.presence === 'unseen') continue;
        for (const [gpu, reading] of Object.entries(host.sample?.gpus ?? {})) {
          const value = reading[field];
          if (value !== null) this.set({ host: host.name, gpu }, value);
        }
      }
    },
  });
}
