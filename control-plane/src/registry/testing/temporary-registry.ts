import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { checkFabricValue } from '../../declared/check-fabric-value.js';
import type { DeclaredState } from '../../declared/declared-state.js';
import { type OpenRegistryOptions, openRegistry } from '../open-registry.js';
import type { EnrolRequest, EnrolResult, Registry, StoredHost } from '../registry-types.js';

/** A data directory of a test's own; every registry that was opened in it is closed with it. */
export class TemporaryRegistry {
  readonly parent = mkdtempSync(join(tmpdir(), 'registry-'));
  readonly directory = join(this.parent, 'data');
  readonly file = join(this.directory, 'registry.sqlite');
  readonly clock = new ManualClock();
  readonly #open: Registry[] = [];

  open(options: Partial<OpenRegistryOptions> = {}): Registry {
    const log = pino({ level: 'silent' });
    const registry = openRegistry({ dataDirectory: this.directory, clock: this.clock, log, ...options });
    this.#open.push(registry);
    return registry;
  }

  /** Waits for a condition while the registry's time passes, at most as much faster than the real time as told. */
  async untilInTime(condition: () => boolean, speed: number): Promise<void> {
    let lastMs = performance.now();
    await until(() => {
      const nowMs = performance.now();
      this.clock.advance(Math.min(100, nowMs - lastMs) * speed);
      lastMs = nowMs;
      return condition();
    }, 30_000);
  }

  /** Closes what is open. Its threads are real, so its deadlines are too: a busy machine must not look like a hang. */
  async close(): Promise<void> {
    const closed = Promise.all(this.#open.splice(0).map((registry) => registry.close()));
    let done = false;
    void closed.finally(() => {
      done = true;
    });
    await this.untilInTime(() => done, 1);
    await closed;
  }

  async remove(): Promise<void> {
    await this.close();
    rmSync(this.parent, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Waits for a condition, looking again every few milliseconds, and fails at a deadline. */
export async function until(condition: () => boolean, deadlineMs = 30_000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endMs)
      throw new Error(`still not so after ${deadlineMs} ms: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function declaredState(value: Record<string, unknown>): DeclaredState {
  const check = checkFabricValue({ version: 1, ...value });
  if (!check.ok) throw new Error(JSON.stringify(check.findings));
  return check.state;
}

/** Joins with a new token. */
export function enrol(registry: Registry, overrides: Partial<EnrolRequest> = {}): EnrolResult {
  const nowMs = overrides.nowMs ?? 1_000;
  const token = registry.tokens.create({ ttlSeconds: 60, nowMs });
  return registry.hosts.enrol({
    tokenId: token.id,
    tokenSecret: token.secret,
    hostName: 'armitage',
    publicKey: 'key-1',
    machineSha256: 'machine-1',
    nowMs,
    nameIsLinked: false,
    ...overrides,
  });
}

export function enrolled(registry: Registry, overrides: Partial<EnrolRequest> = {}): StoredHost {
  const result = enrol(registry, overrides);
  if (!result.ok) throw new Error(result.detail);
  return result.host;
}
