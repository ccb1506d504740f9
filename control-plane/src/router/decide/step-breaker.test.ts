import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultRouterSettings } from '../router-settings.js';
import {
  type BreakerEffect,
  type BreakerEvent,
  type BreakerState,
  breakerBlockedForMs,
  freshBreaker,
  stepBreaker,
} from './step-breaker.js';

const settings = defaultRouterSettings.breaker;

/** A breaker driven by hand: time is told, chance is fixed at the top so that jitter is at its ceiling. */
class Driven {
  state: BreakerState = freshBreaker;
  nowMs = 50_000;
  draw = 0.999_999;

  tell(event: BreakerEvent): BreakerEffect {
    const { state, effect } = stepBreaker(this.state, event, this.nowMs, () => this.draw, settings);
    this.state = state;
    return effect;
  }

  claim(): BreakerEffect {
    return this.tell({ kind: 'claimed' });
  }

  ends(kind: 'succeeded' | 'failed' | 'busy' | 'neutral' | 'answered', probe = false): BreakerEffect {
    return this.tell({ kind, probe });
  }

  fails(times: number): BreakerEffect {
    let last: BreakerEffect = 'none';
    for (let time = 0; time < times; time += 1) last = this.ends('failed');
    return last;
  }

  get blockedForMs(): number {
    return breakerBlockedForMs(this.state, this.nowMs, settings);
  }

  waitItOut(): this {
    this.nowMs += this.blockedForMs;
    return this;
  }

  /** Opens again and again, each probe failing. */
  trip(times: number): this {
    this.fails(3);
    for (let time = 1; time < times; time += 1) {
      this.waitItOut().claim();
      this.ends('failed', true);
    }
    return this;
  }
}

describe('a closed breaker', () => {
  it('lets every claim through', () => {
    const breaker = new Driven();
    for (let claim = 0; claim < 100; claim += 1) expect(breaker.claim()).toBe('none');
    expect(breaker.blockedForMs).toBe(0);
  });

  it('opens at the third failure in a row, and not before', () => {
    const breaker = new Driven();
    expect(breaker.fails(2)).toBe('none');
    expect(breaker.state.phase).toBe('closed');
    expect(breaker.ends('failed')).toBe('opened');
    expect(breaker.state.phase).toBe('open');
  });

  it('begins to count anew after a success', () => {
    const breaker = new Driven();
    breaker.fails(2);
    breaker.ends('succeeded');
    expect(breaker.fails(2)).toBe('none');
    expect(breaker.state.phase).toBe('closed');
  });

  it.each(['neutral', 'busy', 'answered'] as const)('does not take "%s" for a success', (kind) => {
    const breaker = new Driven();
    breaker.fails(2);
    breaker.ends(kind);
    expect(breaker.fails(1)).toBe('opened');
  });

  it.each(['neutral', 'busy', 'answered', 'succeeded'] as const)('never opens by "%s"', (kind) => {
    const breaker = new Driven();
    for (let time = 0; time < 50; time += 1) expect(breaker.ends(kind)).toBe('none');
    expect(breaker.state.phase).toBe('closed');
  });

  it('opens when half of at least ten outcomes failed, never three in a row', () => {
    const breaker = new Driven();
    const outcomes = ['failed', 'succeeded'] as const;
    for (let time = 0; time < 10; time += 1) {
      expect(breaker.ends(outcomes[time % 2] ?? 'failed')).toBe('none');
    }
    // The eleventh is the sixth failure of eleven.
    expect(breaker.ends('failed')).toBe('opened');
  });

  it('stays closed while one of three fails', () => {
    const breaker = new Driven();
    const outcomes = ['succeeded', 'failed', 'succeeded'] as const;
    for (let time = 0; time < 300; time += 1) breaker.ends(outcomes[time % 3] ?? 'failed');
    expect(breaker.state.phase).toBe('closed');
  });

  it('judges the ratio by the last window alone', () => {
    const breaker = new Driven();
    for (const kind of ['failed', 'succeeded', 'failed', 'succeeded', 'failed'] as const) breaker.ends(kind);
    for (const kind of ['succeeded', 'failed', 'succeeded'] as const) breaker.ends(kind);
    breaker.nowMs += settings.windowMs;
    breaker.ends('failed');
    breaker.ends('succeeded');
    expect(breaker.ends('failed')).toBe('none');
  });
});

describe('an open breaker', () => {
  it('refuses claims until its cool-down is over', () => {
    const breaker = new Driven();
    breaker.fails(3);
    expect(breaker.blockedForMs).toBeGreaterThan(0);
    expect(breaker.claim()).toBe('refused');
    breaker.nowMs += breaker.blockedForMs - 1;
    expect(breaker.claim()).toBe('refused');
    breaker.nowMs += 1;
    expect(breaker.claim()).toBe('probe');
  });

  it('is not moved by refused claims', () => {
    const breaker = new Driven();
    breaker.fails(3);
    const before = breaker.state;
    breaker.claim();
    expect(breaker.state).toBe(before);
  });

  it.each(['succeeded', 'failed', 'neutral', 'answered'] as const)(
    'is not moved by "%s" of a claim that was taken before it opened',
    (kind) => {
      const breaker = new Driven();
      breaker.fails(3);
      const before = breaker.state;
      expect(breaker.ends(kind)).toBe('none');
      expect(breaker.state).toEqual(before);
    },
  );

  it.each([
    { trips: 1, ceilingMs: 2_000 },
    { trips: 2, ceilingMs: 4_000 },
    { trips: 3, ceilingMs: 8_000 },
    { trips: 5, ceilingMs: 32_000 },
    { trips: 6, ceilingMs: 60_000 },
    { trips: 7, ceilingMs: 60_000 },
    { trips: 40, ceilingMs: 60_000 },
  ])('rests up to $ceilingMs ms when it opened $trips times in a row', ({ trips, ceilingMs }) => {
    const breaker = new Driven().trip(trips);
    expect(breaker.blockedForMs).toBeLessThanOrEqual(ceilingMs);
    expect(breaker.blockedForMs).toBeGreaterThan(ceilingMs * 0.99);
  });

  it('never rests for less than a second, whatever chance says', () => {
    const breaker = new Driven();
    breaker.draw = 0;
    breaker.trip(12);
    expect(breaker.blockedForMs).toBe(1_000);
  });

  it('rests for a random part of its ceiling, so that a fleet does not come back in step', () => {
    const rests = [0.3, 0.6, 0.9].map((draw) => {
      const breaker = new Driven();
      breaker.draw = draw;
      return breaker.trip(4).blockedForMs;
    });
    expect(rests).toEqual([4_800, 9_600, 14_400]);
  });
});

describe('a half-open breaker', () => {
  function halfOpen(trips = 1): Driven {
    const breaker = new Driven().trip(trips).waitItOut();
    expect(breaker.claim()).toBe('probe');
    return breaker;
  }

  it('lets one probe through and nobody else', () => {
    const breaker = halfOpen();
    expect(breaker.claim()).toBe('refused');
    expect(breaker.claim()).toBe('refused');
    expect(breaker.blockedForMs).toBeGreaterThan(0);
  });

  it.each(['succeeded', 'answered'] as const)('closes when its probe %s', (kind) => {
    const breaker = halfOpen();
    expect(breaker.ends(kind, true)).toBe('closed');
    expect(breaker.claim()).toBe('none');
    expect(breaker.blockedForMs).toBe(0);
  });

  it('opens again when its probe fails, and rests for longer', () => {
    const breaker = halfOpen();
    expect(breaker.ends('failed', true)).toBe('opened');
    expect(breaker.blockedForMs).toBeGreaterThan(2_000);
  });

  it.each(['neutral', 'busy'] as const)('lets another probe through when one ended "%s"', (kind) => {
    const breaker = halfOpen();
    expect(breaker.ends(kind, true)).toBe('none');
    expect(breaker.claim()).toBe('probe');
  });

  it.each(['succeeded', 'failed', 'neutral', 'answered'] as const)(
    'is not moved by "%s" of a claim that was no probe',
    (kind) => {
      const breaker = halfOpen();
      const before = breaker.state;
      expect(breaker.ends(kind, false)).toBe('none');
      expect(breaker.state).toBe(before);
    },
  );

  it('does not wait for ever for a probe that never ends', () => {
    const breaker = halfOpen();
    breaker.nowMs += settings.probeIntervalMs - 1;
    expect(breaker.claim()).toBe('refused');
    breaker.nowMs += 1;
    expect(breaker.claim()).toBe('probe');
    expect(breaker.claim()).toBe('refused');
  });

  it('that closed by the first byte counts a later break of the same stream as one failure', () => {
    const breaker = halfOpen();
    breaker.ends('answered', true);
    expect(breaker.ends('failed', true)).toBe('none');
    expect(breaker.state).toMatchObject({ phase: 'closed', consecutiveFailures: 1 });
  });

  it('remembers its trips when it closes, so that a flapping engine rests ever longer', () => {
    const breaker = halfOpen(3);
    breaker.ends('succeeded', true);
    breaker.fails(3);
    expect(breaker.blockedForMs).toBeGreaterThan(15_000);
  });

  it('forgives its trips after a whole good window', () => {
    const breaker = halfOpen(5);
    breaker.ends('succeeded', true);
    breaker.nowMs += settings.windowMs;
    breaker.ends('succeeded');
    breaker.fails(3);
    expect(breaker.blockedForMs).toBeLessThanOrEqual(2_000);
  });
});

describe('a busy engine', () => {
  it.each([
    { draw: 0, pauseMs: 250 },
    { draw: 0.5, pauseMs: 375 },
    { draw: 0.999_999, pauseMs: 500 },
  ])('is left alone for $pauseMs ms when chance says $draw', ({ draw, pauseMs }) => {
    const breaker = new Driven();
    breaker.draw = draw;
    breaker.ends('busy');
    expect(breaker.state.busyUntilMs - breaker.nowMs).toBeCloseTo(pauseMs, 2);
  });

  it('is not a failing one, however often it says so', () => {
    const breaker = new Driven();
    for (let time = 0; time < 100; time += 1) breaker.ends('busy');
    expect(breaker.state.phase).toBe('closed');
    expect(breaker.blockedForMs).toBe(0);
  });

  it('does not shorten its pause by saying so again', () => {
    const breaker = new Driven();
    breaker.ends('busy');
    const until = breaker.state.busyUntilMs;
    breaker.draw = 0;
    breaker.ends('busy');
    expect(breaker.state.busyUntilMs).toBe(until);
  });

  it('keeps its pause when the breaker opens, closes or is tried', () => {
    const breaker = new Driven();
    breaker.ends('busy');
    const until = breaker.state.busyUntilMs;
    breaker.fails(3);
    expect(breaker.state.busyUntilMs).toBe(until);
    breaker.waitItOut().claim();
    expect(breaker.state.busyUntilMs).toBe(until);
    breaker.ends('succeeded', true);
    expect(breaker.state.busyUntilMs).toBe(until);
  });
});

describe('a replica that became ready again', () => {
  it.each([
    { from: 'closed', make: () => new Driven() },
    {
      from: 'closed with failures',
      make: () => {
        const breaker = new Driven();
        breaker.fails(2);
        return breaker;
      },
    },
    { from: 'open', make: () => new Driven().trip(4) },
    {
      from: 'half-open',
      make: () => {
        const breaker = new Driven().trip(2).waitItOut();
        breaker.claim();
        return breaker;
      },
    },
  ])('has nothing held against it, coming from $from', ({ make }) => {
    const breaker = make();
    breaker.ends('busy');
    breaker.tell({ kind: 'ready_again' });
    expect(breaker.state).toBe(freshBreaker);
    expect(breaker.claim()).toBe('none');
  });

  it('tells that it closed only when it was not', () => {
    expect(new Driven().tell({ kind: 'ready_again' })).toBe('none');
    expect(new Driven().trip(1).tell({ kind: 'ready_again' })).toBe('closed');
  });
});

describe('whatever happens', () => {
  const event: fc.Arbitrary<BreakerEvent> = fc.oneof(
    fc.constant({ kind: 'claimed' as const }),
    fc.constant({ kind: 'ready_again' as const }),
    fc.record({
      kind: fc.constantFrom(
        'answered' as const,
        'succeeded' as const,
        'failed' as const,
        'failed' as const,
        'busy' as const,
        'neutral' as const,
      ),
      probe: fc.boolean(),
    }),
  );
  const step = fc.record({
    event,
    afterMs: fc.nat(20_000),
    draw: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });

  it('a breaker is never shut for more than a minute, and always admits when it says that it does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const breaker = new Driven();
        for (const { event: next, afterMs, draw } of steps) {
          breaker.nowMs += afterMs;
          breaker.draw = draw;
          breaker.tell(next);
          expect(breaker.blockedForMs).toBeLessThanOrEqual(60_000);
          const later = new Driven();
          later.state = breaker.state;
          later.nowMs = breaker.nowMs + breaker.blockedForMs;
          expect(later.claim()).not.toBe('refused');
          if (breaker.blockedForMs > 0) {
            later.state = breaker.state;
            later.nowMs = breaker.nowMs;
            expect(later.claim()).toBe('refused');
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('at most one probe is let through per probe interval', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_000), { maxLength: 100 }), (waits) => {
        const breaker = new Driven().trip(1).waitItOut();
        let lastProbeMs = Number.NEGATIVE_INFINITY;
        for (const waitMs of waits) {
          breaker.nowMs += waitMs;
          if (breaker.claim() !== 'probe') continue;
          expect(breaker.nowMs - lastProbeMs).toBeGreaterThanOrEqual(settings.probeIntervalMs);
          lastProbeMs = breaker.nowMs;
        }
      }),
    );
  });
});
