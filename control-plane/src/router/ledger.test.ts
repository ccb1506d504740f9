import { ManualClock } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.js';
import type { AttemptOutcome, Claim } from './route-types.js';
import { defaultRouterSettings } from './router-settings.js';
import { recordingLog } from './testing/fake-fabric.js';

const settings = defaultRouterSettings.ledger;
const succeeded: AttemptOutcome = { kind: 'succeeded', promptTokens: 1, completionTokens: 1 };
const outcomes: readonly AttemptOutcome[] = [
  succeeded,
  { kind: 'busy' },
  { kind: 'neutral' },
  { kind: 'failed', code: 'reset' },
];

function setUp() {
  const clock = new ManualClock();
  const { log, lines } = recordingLog();
  const ledger = new Ledger({ clock, log, settings });
  const told: string[] = [];
  const observer = {
    answered: (isProbe: boolean) => void told.push(`answered${isProbe ? ' probe' : ''}`),
    released: (isProbe: boolean, outcome: AttemptOutcome) =>
      void told.push(`${outcome.kind}${isProbe ? ' probe' : ''}`),
  };
  const take = (target: string, slots: number | null = null): Claim => {
    const claim = ledger.claim(target, slots, false, observer);
    if (claim === null) throw new Error(`no slot of ${target} was free`);
    return claim;
  };
  return { clock, lines, ledger, observer, told, take };
}

describe('a claim', () => {
  it('takes one slot and gives it back', () => {
    const { ledger, take } = setUp();
    const claim = take('a');
    expect(ledger.account('a').inflight).toBe(1);
    claim.release(succeeded);
    expect(ledger.account('a').inflight).toBe(0);
    expect(ledger.openClaims).toBe(0);
  });

  it('names its target', () => {
    expect(setUp().take('openai/strong').target).toBe('openai/strong');
  });

  it('is refused when all slots are taken, and given when one is free again', () => {
    const { ledger, observer, take } = setUp();
    const first = take('a', 2);
    take('a', 2);
    expect(ledger.claim('a', 2, false, observer)).toBeNull();
    expect(ledger.account('a').inflight).toBe(2);
    first.release(succeeded);
    expect(ledger.claim('a', 2, false, observer)).not.toBeNull();
  });

  it('is never refused where capacity is unbounded', () => {
    const { ledger, take } = setUp();
    for (let count = 0; count < 1_000; count += 1) take('openai/strong');
    expect(ledger.account('openai/strong').inflight).toBe(1_000);
  });

  it.each(outcomes)('is released once, however often it is asked to: $kind', (outcome) => {
    const { ledger, told, take } = setUp();
    take('a');
    const claim = take('a');
    claim.release(outcome);
    for (const again of outcomes) claim.release(again);
    expect(ledger.account('a').inflight).toBe(1);
    expect(told).toEqual([outcome.kind]);
  });

  it('tells of its first byte while it is held, and not after', () => {
    const { told, take } = setUp();
    const claim = take('a');
    claim.answered();
    claim.release(succeeded);
    claim.answered();
    expect(told).toEqual(['answered', 'succeeded']);
  });

  it('tells whether it was a probe', () => {
    const { ledger, observer, told } = setUp();
    const claim = ledger.claim('a', null, true, observer);
    claim?.answered();
    claim?.release({ kind: 'failed', code: 'reset' });
    expect(told).toEqual(['answered probe', 'failed probe']);
  });

  it('counts for its own target alone', () => {
    const { ledger, take } = setUp();
    take('a');
    take('b').release(succeeded);
    expect(ledger.account('a').inflight).toBe(1);
    expect(ledger.account('b').inflight).toBe(0);
  });

  it('is off the count already when its observer hears of the release', () => {
    const { ledger } = setUp();
    const seen: number[] = [];
    const observer = { answered: () => {}, released: () => void seen.push(ledger.account('a').inflight) };
    ledger.claim('a', null, false, observer)?.release(succeeded);
    expect(seen).toEqual([0]);
  });
});

describe('the reaper', () => {
  it('takes off a claim that nobody released, counts it and says that this is a bug', () => {
    const { clock, ledger, lines, told, take } = setUp();
    take('a');
    clock.advance(settings.leastDeadlineMs + settings.reapEveryMs);
    expect(ledger.account('a').inflight).toBe(0);
    expect(ledger.account('a').reapedTotal).toBe(1);
    expect(ledger.reapedTotal).toBe(1);
    expect(told).toEqual(['neutral']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 50, reaped: { a: 1 }, msg: expect.stringContaining('bug') });
  });

  it('leaves alone what is younger than the deadline', () => {
    const { clock, ledger, lines, take } = setUp();
    take('a');
    clock.advance(settings.leastDeadlineMs - 1);
    expect(ledger.account('a').inflight).toBe(1);
    expect(lines).toEqual([]);
  });

  it('waits for as long as the longest request may last', () => {
    const { clock, ledger, take } = setUp();
    ledger.setDeadline(10 * settings.leastDeadlineMs);
    take('a');
    clock.advance(9 * settings.leastDeadlineMs);
    expect(ledger.account('a').inflight).toBe(1);
    clock.advance(2 * settings.leastDeadlineMs);
    expect(ledger.account('a').inflight).toBe(0);
  });

  it('does not fall below its least deadline', () => {
    const { clock, ledger, take } = setUp();
    ledger.setDeadline(1);
    take('a');
    clock.advance(settings.leastDeadlineMs - 1);
    expect(ledger.account('a').inflight).toBe(1);
  });

  it('makes a later release of the same claim do nothing', () => {
    const { clock, ledger, take } = setUp();
    const lost = take('a');
    clock.advance(settings.leastDeadlineMs + settings.reapEveryMs);
    take('a');
    lost.release(succeeded);
    expect(ledger.account('a').inflight).toBe(1);
  });

  it('writes one line for a thousand lost claims', () => {
    const { clock, lines, take } = setUp();
    for (let count = 0; count < 1_000; count += 1) take(count % 2 === 0 ? 'a' : 'b');
    clock.advance(settings.leastDeadlineMs + settings.reapEveryMs);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ reaped: { a: 500, b: 500 } });
  });

  it('is not misled by a jump of the wall clock', () => {
    const { clock, ledger, take } = setUp();
    take('a');
    clock.jumpWallClock(365 * 86_400_000);
    clock.advance(settings.reapEveryMs);
    expect(ledger.account('a').inflight).toBe(1);
  });

  it('ends when the ledger is closed', () => {
    const { clock, ledger } = setUp();
    ledger.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a target that is no longer declared', () => {
  it('keeps its count until its last claim ends, and is then forgotten', () => {
    const { ledger, take } = setUp();
    const one = take('a');
    const other = take('a');
    ledger.retain(() => false);
    expect([...ledger.accounts()]).toHaveLength(1);
    one.release(succeeded);
    expect(ledger.account('a').inflight).toBe(1);
    other.release(succeeded);
    expect([...ledger.accounts()]).toHaveLength(0);
  });

  it('is forgotten at once when it is idle', () => {
    const { ledger, take } = setUp();
    take('a').release(succeeded);
    ledger.retain(() => false);
    expect([...ledger.accounts()]).toHaveLength(0);
  });

  it('that is declared again goes on with the claims that are still open', () => {
    const { ledger, take } = setUp();
    const claim = take('a');
    ledger.retain(() => false);
    ledger.retain(() => true);
    claim.release(succeeded);
    expect([...ledger.accounts()]).toHaveLength(1);
    expect(ledger.account('a').inflight).toBe(0);
  });
});

describe('the time that slots are held', () => {
  it('is unknown before a request ended well', () => {
    const { clock, ledger, take } = setUp();
    const claim = take('a');
    clock.advance(500);
    claim.release({ kind: 'failed', code: 'reset' });
    expect(ledger.account('a').meanHoldMs).toBeNull();
  });

  it('is learned from what succeeded alone, and follows slowly', () => {
    const { clock, ledger, take } = setUp();
    const hold = (ms: number, outcome: AttemptOutcome): void => {
      const claim = take('a');
      clock.advance(ms);
      claim.release(outcome);
    };
    hold(1_000, succeeded);
    expect(ledger.account('a').meanHoldMs).toBe(1_000);
    hold(90_000, { kind: 'neutral' });
    hold(3, { kind: 'busy' });
    expect(ledger.account('a').meanHoldMs).toBe(1_000);
    hold(2_000, succeeded);
    expect(ledger.account('a').meanHoldMs).toBeCloseTo(1_100);
  });

  it('is not that of what asks no card, whose success says nothing and whose failure does', () => {
    const { ledger, observer, told } = setUp();
    for (const outcome of [succeeded, { kind: 'failed', code: 'reset' } as const]) {
      const claim = ledger.claim('a', 4, true, observer);
      if (claim === null) throw new Error('a slot is free');
      claim.asksNoCard = true;
      claim.answered();
      claim.release(outcome);
    }
    expect(told).toEqual(['neutral probe', 'failed probe']);
    expect(ledger.account('a')).toMatchObject({ meanHoldMs: null, inflight: 0 });
  });
});

interface Model {
  readonly open: Map<Claim, string>;
  readonly ended: Claim[];
}

type System = ReturnType<typeof setUp>;

/** In-flight equals open claims, for each target and in all; what is not declared and idle is forgotten. */
function check({ open }: Model, { ledger }: System): void {
  const expected = new Map<string, number>();
  for (const target of open.values()) expected.set(target, (expected.get(target) ?? 0) + 1);
  expect(ledger.openClaims).toBe(open.size);
  for (const { target, inflight } of ledger.accounts()) {
    expect(inflight).toBe(expected.get(target) ?? 0);
    expected.delete(target);
  }
  expect([...expected]).toEqual([]);
}

const targets = ['a', 'b', 'c', 'openai/strong'] as const;
const SLOTS = 3;

class Take implements fc.Command<Model, System> {
  readonly target: string;
  constructor(target: string) {
    this.target = target;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, system: System): void {
    const held = [...model.open.values()].filter((target) => target === this.target).length;
    const slots = this.target.includes('/') ? null : SLOTS;
    const claim = system.ledger.claim(this.target, slots, false, system.observer);
    expect(claim === null).toBe(slots !== null && held >= slots);
    if (claim !== null) model.open.set(claim, this.target);
    check(model, system);
  }
  toString(): string {
    return `take ${this.target}`;
  }
}

class Release implements fc.Command<Model, System> {
  readonly pick: number;
  readonly outcome: AttemptOutcome;
  constructor(pick: number, outcome: AttemptOutcome) {
    this.pick = pick;
    this.outcome = outcome;
  }
  check(model: Readonly<Model>): boolean {
    return model.open.size > 0;
  }
  run(model: Model, system: System): void {
    const claim = [...model.open.keys()][this.pick % model.open.size] as Claim;
    claim.release(this.outcome);
    model.open.delete(claim);
    model.ended.push(claim);
    check(model, system);
  }
  toString(): string {
    return `release ${this.pick} ${this.outcome.kind}`;
  }
}

class ReleaseAgain implements fc.Command<Model, System> {
  readonly pick: number;
  constructor(pick: number) {
    this.pick = pick;
  }
  check(model: Readonly<Model>): boolean {
    return model.ended.length > 0;
  }
  run(model: Model, system: System): void {
    const claim = model.ended[this.pick % model.ended.length] as Claim;
    claim.release(succeeded);
    claim.answered();
    check(model, system);
  }
  toString(): string {
    return `release again ${this.pick}`;
  }
}

class Declare implements fc.Command<Model, System> {
  readonly kept: readonly string[];
  constructor(kept: readonly string[]) {
    this.kept = kept;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, system: System): void {
    system.ledger.retain((target) => this.kept.includes(target));
    check(model, system);
  }
  toString(): string {
    return `declare ${this.kept.join(' ')}`;
  }
}

class LoseAll implements fc.Command<Model, System> {
  check(model: Readonly<Model>): boolean {
    return model.open.size > 0;
  }
  run(model: Model, system: System): void {
    const before = system.ledger.reapedTotal;
    system.clock.advance(settings.leastDeadlineMs + settings.reapEveryMs);
    expect(system.ledger.reapedTotal - before).toBe(model.open.size);
    model.ended.push(...model.open.keys());
    model.open.clear();
    check(model, system);
  }
  toString(): string {
    return 'lose all';
  }
}

class Wait implements fc.Command<Model, System> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, system: System): void {
    system.clock.advance(this.ms);
    check(model, system);
  }
  toString(): string {
    return `wait ${this.ms} ms`;
  }
}

describe('however takes, releases, losses and declarations interleave', () => {
  it('in-flight equals open claims, always', () => {
    const commands = fc.commands(
      [
        fc.constantFrom(...targets).map((target) => new Take(target)),
        fc.constantFrom(...targets).map((target) => new Take(target)),
        fc
          .tuple(fc.nat(50), fc.constantFrom(...outcomes))
          .map(([pick, outcome]) => new Release(pick, outcome)),
        fc.nat(50).map((pick) => new ReleaseAgain(pick)),
        fc.subarray([...targets]).map((kept) => new Declare(kept)),
        fc.nat(2_000).map((ms) => new Wait(ms)),
        fc.constant(new LoseAll()),
      ],
      { maxCommands: 120, size: 'max' },
    );
    fc.assert(
      fc.property(commands, (run) => {
        fc.modelRun(() => ({ model: { open: new Map(), ended: [] }, real: setUp() }), run);
      }),
      { numRuns: 150 },
    );
  });
});
