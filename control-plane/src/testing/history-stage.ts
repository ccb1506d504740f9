import { createHash, generateKeyPairSync } from 'node:crypto';
import { decodeAgentFrame, systemClock, type TelemetrySample } from '@ai-fabric/shared';
import { pino } from 'pino';
import { declareHost } from '../declared/decide/declare-host.js';
import type { DeclaredState } from '../declared/declared-state.js';
import { encodeAnswer } from '../history/decide/encode-answer.js';
import { OpenStretch } from '../history/decide/open-stretch.js';
import { selectFields } from '../history/decide/select-fields.js';
import { tiers } from '../history/decide/tiers.js';
import { TelemetryHistory } from '../history/telemetry-history.js';
import { SeenSamples } from '../link/intake/seen-samples.js';
import { TelemetryIntake } from '../link/intake/telemetry-intake.js';
import { LiveState } from '../live/live-state.js';
import { TelemetryTables } from '../registry/apply-telemetry.js';
import { openRegistry } from '../registry/open-registry.js';
import { openRegistryDatabase } from '../registry/registry-database.js';
import type { Registry } from '../registry/registry-types.js';

const MINUTE_MS = 60_000;
const [, MIDDLE, COARSE] = tiers;

/** The rooms that a report's telemetry goes through behind the link, without listeners: for benchmarks. */
export class HistoryStage {
  readonly #registry: Registry;
  readonly #live: LiveState;
  readonly #history: TelemetryHistory;
  readonly #intakes = new Map<string, TelemetryIntake>();
  readonly #clock = systemClock();

  constructor(dataDirectory: string, deployments: Readonly<Record<string, readonly string[]>>) {
    const log = pino({ level: 'warn' });
    const clock = this.#clock;
    this.#registry = openRegistry({ dataDirectory, clock, log });
    this.#live = new LiveState({ clock, log });
    this.#live.seed(this.#registry.hosts.list(), declare(deployments));
    const { observations, reader } = this.#registry;
    this.#history = new TelemetryHistory({
      ...{ live: this.#live, observations, clock, runId: `stage-${clock.nowMs()}` },
      read: (question) => reader.query('telemetry', question),
    });
  }

  get droppedCount(): number {
    return this.#registry.observations.droppedCount;
  }

  get queuedCount(): number {
    return this.#registry.observations.queuedCount;
  }

  /** Enrols a host and links it. */
  link(name: string): void {
    const { tokens, hosts } = this.#registry;
    const nowMs = this.#clock.nowMs();
    const { id, secret } = tokens.create({ ttlSeconds: 60, nowMs });
    const enrolled = hosts.enrol({
      ...{ tokenId: id, tokenSecret: secret, hostName: name, nowMs, nameIsLinked: false },
      publicKey: generateKeyPairSync('ed25519')
        .publicKey.export({ type: 'spki', format: 'der' })
        .toString('base64'),
      machineSha256: createHash('sha256').update(name).digest('hex'),
    });
    if (!enrolled.ok) throw new Error(enrolled.detail);
    const { hostId } = enrolled.host;
    this.#live.hostLinked({ hostId, name, agentVersion: '0', peerAddress: '', draining: false });
    this.#intakes.set(name, new TelemetryIntake(new SeenSamples(name)));
  }

  /** A report's frame as it comes from the link's socket: decoded, checked, placed, taken in and rolled up. */
  takeFrame(name: string, text: string): void {
    const decoded = decodeAgentFrame(text);
    if (!decoded.ok || decoded.frame.type !== 'report') throw new Error(`no report: ${text.slice(0, 80)}`);
    const { frame } = decoded;
    const receivedAtMs = this.#clock.nowMs();
    const taken = this.#intakes.get(name)?.take(frame.body, receivedAtMs, frame.sentAtMs);
    if (!taken?.ok) throw new Error(taken?.detail ?? `${name} is not linked`);
    this.#live.takeReport(name, { clockSkewMs: 0, samples: taken.samples });
  }

  /** As the control API answers it. @returns the length of the JSON, the points and what they were made from */
  async chart(name: string, rangeMs: number, fields: string) {
    const selected = selectFields(fields);
    if (!selected.ok) throw new Error(selected.detail);
    const toMs = this.#clock.nowMs();
    const range = { fromMs: toMs - rangeMs, toMs, stepMs: null };
    const result = await this.#history.query(name, range, selected.selection);
    if (!result.ok) throw new Error(result.detail);
    const { resolution, grid } = result.answer;
    return { lengthBytes: encodeAnswer(result.answer).length, points: grid.count, resolution };
  }

  async close(): Promise<void> {
    this.#history.close();
    await this.#registry.close();
  }
}

/**
 * Writes 400 days of reports of the one host of a registry: minute by minute for as long as finer steps than the coarsest
 * are kept, before that one minute for each of the coarsest. Rows that grow too old go as they do when written live.
 *
 * @param registryFile of a registry that is not open
 */
export function writeHostHistory(
  registryFile: string,
  toMs: number,
  sampleAt: (atMs: number) => TelemetrySample,
  sampleEveryMs: number,
): void {
  const database = openRegistryDatabase(registryFile, { busyTimeoutMs: 5_000, durability: 'normal' });
  const tables = new TelemetryTables(database.raw);
  const hostId = database.raw.prepare('SELECT host_id FROM hosts').pluck().get() as string;
  const denseFromMs = toMs - MIDDLE.keepMs - COARSE.stepMs;
  let seq = 0;
  let atMs = Math.floor((toMs - COARSE.keepMs) / COARSE.stepMs) * COARSE.stepMs;
  while (atMs < toMs) {
    const endMs = Math.min(toMs, atMs + COARSE.stepMs);
    database.write(() => {
      for (; atMs < endMs; atMs += atMs < denseFromMs ? COARSE.stepMs : MINUTE_MS) {
        seq += 1;
        const { series } = minuteOf(atMs, sampleAt, sampleEveryMs);
        tables.apply(
          [{ kind: 'telemetryMinute', hostId, atMs, runId: 'written', seq, series }],
          atMs + MINUTE_MS,
        );
      }
    });
  }
  database.raw.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
}

function minuteOf(
  startMs: number,
  sampleAt: (atMs: number) => TelemetrySample,
  everyMs: number,
): OpenStretch {
  const stretch = new OpenStretch(startMs);
  const rates = new Map();
  for (let atMs = startMs; atMs < startMs + MINUTE_MS; atMs += everyMs)
    stretch.add(sampleAt(atMs), false, rates);
  return stretch;
}

function declare(deployments: Readonly<Record<string, readonly string[]>>): DeclaredState {
  const all = Object.entries(deployments).flatMap(([host, names]) =>
    names.map(
      (
        name,
      ): [string, DeclaredState['deployments'] extends ReadonlyMap<string, infer Each> ? Each : never] => [
        name,
        {
          ...{
            name,
            host,
            task: 'chat',
            engine: 'external',
            url: 'http://127.0.0.1:1',
            servedModel: 'model',
          },
          ...{ maxConcurrent: 4, contextTokens: null, capabilities: null, listed: true },
        },
      ],
    ),
  );
  return {
    revision: 1,
    hosts: new Map(Object.keys(deployments).map((name) => [name, declareHost(name)])),
    deployments: new Map(all),
    ...{ providers: new Map(), roles: new Map(), aliases: new Map() },
    gateway: { allowedOrigins: [], extraHosts: [] },
    backup: null,
    checks: { doctor: null, smoke: null, webhook: null },
    tariff: null,
  };
}
