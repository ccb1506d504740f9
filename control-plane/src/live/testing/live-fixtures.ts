import {
  describeReplica,
  type EngineReading,
  emptyEngineReading,
  emptyGpuReading,
  emptyHostReading,
  type HostInventory,
  type ReplicaStatus,
  type TelemetrySample,
} from '@ai-fabric/shared';
import { declareHost } from '../../declared/decide/declare-host.js';
import type { DeclaredDeployment, DeclaredState } from '../../declared/declared-state.js';

/** A declared state of hosts and what is deployed on each: `{ motoko: ['chat'] }`. */
export function declaredOf(
  deployments: Readonly<Record<string, readonly string[]>>,
  revision = 1,
): DeclaredState {
  const all = Object.entries(deployments).flatMap(([host, names]) =>
    names.map((name) => deploymentOf(name, host)),
  );
  return {
    revision,
    hosts: new Map(Object.keys(deployments).map((name) => [name, declareHost(name)])),
    deployments: new Map(all.map((deployment) => [deployment.name, deployment])),
    providers: new Map(),
    roles: new Map(),
    aliases: new Map(),
    backup: null,
    gateway: { allowedOrigins: [], extraHosts: [] },
    checks: { doctor: null, smoke: null, webhook: null },
    tariff: null,
  };
}

function deploymentOf(name: string, host: string): DeclaredDeployment {
  return {
    name,
    host,
    task: 'chat',
    engine: 'external',
    url: 'http://127.0.0.1:8001',
    servedModel: 'model',
    maxConcurrent: 4,
    contextTokens: null,
    capabilities: null,
    listed: true,
  };
}

export function statusOf(deployment: string, more: Partial<ReplicaStatus> = {}): ReplicaStatus {
  return describeReplica({
    ...{ deployment, phase: 'ready', engineVersion: '0.11.0', maxModelLen: 8_192 },
    ...more,
  });
}

/** @param replicas deployment → requests running */
export function sampleOf(atMs: number, replicas: Readonly<Record<string, number>> = {}): TelemetrySample {
  const readings: Record<string, EngineReading> = {};
  for (const [name, running] of Object.entries(replicas)) readings[name] = { ...emptyEngineReading, running };
  return {
    atMs,
    host: { ...emptyHostReading, cpuRatio: 0.25 },
    gpus: { 'GPU-1': { ...emptyGpuReading, powerWatts: 100 } },
    replicas: readings,
  };
}

export const inventory: HostInventory = {
  os: 'linux',
  osName: 'Debian GNU/Linux 12',
  kernel: '6.1',
  architecture: 'x64',
  cpuModel: 'a CPU',
  cpuThreads: 16,
  memoryTotalBytes: 32_000_000_000,
  bootId: 'boot-1',
  bootedAtMs: 1_699_000_000_000,
  interfaces: [],
  gpus: [],
};
