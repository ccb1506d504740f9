import {
  describeReplica,
  emptyHostReading,
  type ReplicaStatus,
  type TelemetrySample,
} from '@ai-fabric/shared';
import { ManualClock, seededRandom } from '@ai-fabric/shared/testing';
import { type Logger, pino } from 'pino';
import type { DeclaredSource, DeclaredState } from '../../declared/declared-state.js';
import { UNKNOWN_POWER } from '../../live/host-power.js';
import type { LiveChange, LiveHost, LiveReplica, LiveView } from '../../live/live-view.js';
import { createRouter, type RunningRouter } from '../create-router.js';
import { defaultRouterSettings, type RouterSettings } from '../router-settings.js';
import { readingOf } from './router-fixtures.js';

/** Declared state that a test replaces. */
export class FakeDeclared implements DeclaredSource {
  readonly #listeners = new Set<(state: DeclaredState) => void>();
  #state: DeclaredState;

  constructor(state: DeclaredState) {
    this.#state = state;
  }

  current(): DeclaredState {
    return this.#state;
  }

  onChange(listener: (state: DeclaredState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  replace(state: DeclaredState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}

/** A live view that a test writes by hand. It tells of changes as the real one does: a reading comes with its host's sample. */
export class FakeLive implements LiveView {
  readonly #hosts = new Map<string, LiveHost>();
  readonly #replicas = new Map<string, LiveReplica>();
  readonly #listeners = new Set<(change: LiveChange) => void>();

  hosts(): Iterable<LiveHost> {
    return this.#hosts.values();
  }

  host(name: string): LiveHost | undefined {
    return this.#hosts.get(name);
  }

  replica(deployment: string): LiveReplica | undefined {
    return this.#replicas.get(deployment);
  }

  replicas(): Iterable<LiveReplica> {
    return this.#replicas.values();
  }

  undeclaredReplicas(): readonly string[] {
    return [];
  }

  history(): readonly TelemetrySample[] {
    return [];
  }

  onChange(listener: (change: LiveChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  setHost(name: string, more: Partial<LiveHost>): void {
    const host = { ...(this.#hosts.get(name) ?? unseenHost(name)), ...more };
    this.#hosts.set(name, host);
    this.#tell({ kind: 'host', host });
  }

  setStatus(deployment: string, host: string, more: Partial<ReplicaStatus>): void {
    const before = this.#replicas.get(deployment) ?? absentReplica(deployment, host);
    const replica = { ...before, host, status: { ...before.status, ...more } };
    this.#replicas.set(deployment, replica);
    this.#tell({ kind: 'replica', replica });
  }

  setReading(deployment: string, reading: LiveReplica['reading'], readingAtMs: number | null): void {
    const before = this.#replicas.get(deployment);
    if (!before) return;
    this.#replicas.set(deployment, { ...before, reading, readingAtMs });
    this.#tell({ kind: 'sample', host: before.host, sample: BARE_SAMPLE, backfilled: false });
  }

  removeReplica(deployment: string): void {
    this.#replicas.delete(deployment);
    this.#tell({ kind: 'replicaRemoved', deployment });
  }

  #tell(change: LiveChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** The router reads of the view, and only hears of samples. */
const BARE_SAMPLE: TelemetrySample = { atMs: 0, host: emptyHostReading, gpus: {}, replicas: {} };

function unseenHost(name: string): LiveHost {
  return {
    name,
    hostId: null,
    presence: 'unseen',
    presenceSinceMs: 0,
    goodbyeReason: null,
    lastSeenMs: null,
    agentVersion: null,
    agentCommit: null,
    agentPackaged: null,
    protocolVersion: null,
    peerAddress: null,
    clockSkewMs: null,
    draining: false,
    revokedAtMs: null,
    inventory: null,
    sample: null,
    issues: [],
    orphans: [],
    droppedSamples: 0,
    owner: null,
    ownerSinceMs: null,
    power: UNKNOWN_POWER,
    upgrade: null,
    tunnelUp: false,
  };
}

function absentReplica(deployment: string, host: string): LiveReplica {
  return {
    deployment,
    host,
    status: describeReplica({ deployment, phase: 'absent' }),
    phaseSinceMs: 0,
    reading: null,
    readingAtMs: null,
  };
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger and what it wrote. */
export function recordingLog(): { readonly log: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { log, lines };
}

export interface FakeFabric {
  readonly router: RunningRouter;
  readonly live: FakeLive;
  readonly declared: FakeDeclared;
  readonly clock: ManualClock;
  readonly lines: readonly LogLine[];
  /** Secrets that are there, by the name of their environment variable. */
  readonly secrets: Set<string>;
  readonly secretLookups: () => number;
}

/** A router over `state`, with every host online and every replica ready, idle and known to be so. */
export function fabricOf(
  state: DeclaredState,
  { settings = defaultRouterSettings, seed = 1 }: { settings?: RouterSettings; seed?: number } = {},
): FakeFabric {
  const clock = new ManualClock();
  const live = new FakeLive();
  const declared = new FakeDeclared(state);
  const { log, lines } = recordingLog();
  const secrets = new Set(['PROVIDER_KEY']);
  let lookups = 0;
  for (const { name, host } of state.deployments.values()) {
    live.setHost(host, { presence: 'online' });
    live.setStatus(name, host, { phase: 'ready' });
    live.setReading(name, readingOf(), clock.nowMs());
  }
  const has = (ref: object): boolean => {
    lookups += 1;
    return 'env' in ref && secrets.has(String(ref.env));
  };
  const random = seededRandom(seed);
  const router = createRouter({ declared, live, secrets: { has }, clock, random, log, settings });
  return { router, live, declared, clock, lines, secrets, secretLookups: () => lookups };
}
