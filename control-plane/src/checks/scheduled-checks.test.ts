import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyDeclaredState } from '../declared/decide/build-declared-state.js';
import type { DeclaredChecks, DeclaredState } from '../declared/declared-state.js';
import type { CheckRecords } from './check-records.js';
import { type Finding, finding } from './finding.js';
import { ScheduledChecks } from './scheduled-checks.js';

const NEVER: DeclaredChecks = { doctor: null, smoke: null, webhook: null };
const LOST = finding('error', 'gpu_lost', { kind: 'host', name: 'armitage' }, 'its card is lost');

/** Finds what it is told to, and counts. */
class FakeRunner {
  runs: string[] = [];
  findings: Finding[] = [];
  records: CheckRecords = { doctor: null, smoke: null, told: { doctor: [], smoke: [] } };
  doctor = async () => {
    this.runs.push('doctor');
    const worst = 'ok' as const;
    return { atMs: 1, tookMs: 1, startedBy: 'schedule' as const, worst, findings: this.findings };
  };
  smoke = async () => {
    this.runs.push('smoke');
    return { atMs: 1, tookMs: 1, startedBy: 'schedule' as const, results: [] };
  };
  keepTold = (kind: 'doctor' | 'smoke', problems: readonly Finding[]) => {
    this.records = { ...this.records, told: { ...this.records.told, [kind]: [...problems] } };
  };
}

let clock: ManualClock;
let runner: FakeRunner;
let state: DeclaredState;
let listeners: Set<(state: DeclaredState) => void>;
let checks: ScheduledChecks;

const settle = () => new Promise((resolve) => setImmediate(resolve));

function declare(more: Partial<DeclaredChecks>): void {
  state = { ...state, checks: { ...NEVER, ...more } };
  for (const listener of listeners) listener(state);
}

beforeEach(() => {
  // A quarter past midnight, so that patterns of whole hours are 45 minutes away.
  clock = new ManualClock(Date.parse('2026-03-02T00:15:00Z'));
  runner = new FakeRunner();
  state = emptyDeclaredState();
  listeners = new Set();
  const declared = {
    current: () => state,
    onChange: (listener: (state: DeclaredState) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const secrets = {
    read: () => ({ ok: false, code: 'env_missing', detail: 'no' }) as const,
    failing: () => null,
  };
  const parts = { clock, random: () => 0, log: pino({ level: 'silent' }), declared, secrets };
  checks = new ScheduledChecks(parts, runner);
});
afterEach(() => checks.close());

describe('a schedule', () => {
  it('that is not declared runs nothing', async () => {
    clock.advance(86_400_000);
    await settle();
    expect(runner.runs).toEqual([]);
    expect(checks.nextAtMs('doctor')).toBeNull();
  });

  it('counts its seconds from the end of one run to the next', async () => {
    declare({ doctor: { everySeconds: 60 } });
    expect(checks.nextAtMs('doctor')).toBe(clock.nowMs() + 60_000);
    clock.advance(59_999);
    expect(runner.runs).toEqual([]);
    for (let run = 0; run < 3; run += 1) {
      clock.advance(60_000);
      await settle();
    }
    expect(runner.runs).toEqual(['doctor', 'doctor', 'doctor']);
  });

  it('by a cron pattern comes when the pattern says', async () => {
    declare({ smoke: { cron: '0 * * * *' } });
    expect(checks.nextAtMs('smoke')).toBe(clock.nowMs() + 45 * 60_000);
    clock.advance(45 * 60_000);
    await settle();
    expect(runner.runs).toEqual(['smoke']);
  });

  it('that is months away is waited for', async () => {
    declare({ doctor: { everySeconds: 30 * 86_400 } });
    clock.advance(30 * 86_400_000 - 1);
    await settle();
    expect(runner.runs).toEqual([]);
    clock.advance(1);
    await settle();
    expect(runner.runs).toEqual(['doctor']);
  });

  it('keeps its next time when something else is declared, and gives it up when it is removed', async () => {
    declare({ doctor: { everySeconds: 60 } });
    const next = checks.nextAtMs('doctor');
    clock.advance(30_000);
    declare({ doctor: { everySeconds: 60 }, smoke: { everySeconds: 600 } });
    expect(checks.nextAtMs('doctor')).toBe(next);
    declare({});
    clock.advance(86_400_000);
    await settle();
    expect(runner.runs).toEqual([]);
  });

  it('ends with the control plane', async () => {
    declare({ doctor: { everySeconds: 60 } });
    checks.close();
    clock.advance(600_000);
    await settle();
    expect(runner.runs).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the webhook', () => {
  let server: Server;
  let posts: { new: Finding[]; cleared: Finding[] }[];
  let status: number;

  beforeEach(async () => {
    posts = [];
    status = 204;
    server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      request.on('end', () => {
        posts.push(JSON.parse(text));
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    declare({ doctor: { everySeconds: 60 }, webhook: { url, secret: null } });
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  /** One run, and whatever it posts. */
  const run = async () => {
    clock.advance(60_000);
    // Armed again: the run is over, its post answered or given up.
    while (checks.nextAtMs('doctor') === null) await settle();
  };

  it('is told of a problem once, and once that it is gone', async () => {
    await run();
    expect(posts).toEqual([]);
    runner.findings = [LOST];
    await run();
    await run();
    runner.findings = [];
    await run();
    await run();
    expect(posts).toMatchObject([
      { new: [{ code: 'gpu_lost' }], cleared: [] },
      { new: [], cleared: [{ code: 'gpu_lost' }] },
    ]);
  });

  it('that refused is told again with the next run', async () => {
    status = 410;
    runner.findings = [LOST];
    await run();
    expect(checks.webhook).toEqual({ lastPostedAtMs: null, lastProblem: 'it answered 410' });
    status = 200;
    await run();
    expect(posts).toHaveLength(2);
    expect(checks.webhook).toEqual({ lastPostedAtMs: clock.nowMs(), lastProblem: null });
  });
});
