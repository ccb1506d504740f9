import type { YieldSettings } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ForeignUse } from './judge-foreign-use.js';
import {
  type Claims,
  causeOf,
  newOwnerState,
  type OwnerEffect,
  type OwnerEvent,
  type OwnerState,
  stepOwner,
} from './step-owner.js';

const GB = 1e9;
const SETTINGS: YieldSettings = {
  automatic: true,
  drainSeconds: 10,
  action: 'stop',
  quietSeconds: 300,
  vramBytes: 1.5 * GB,
  utilisationRatio: 0.3,
};
const QUIET: ForeignUse = { vramBytes: 0, utilisationRatio: 0 };
const GAME: ForeignUse = { vramBytes: 5 * GB, utilisationRatio: 0.9 };
const UNKNOWN: ForeignUse = { vramBytes: null, utilisationRatio: null };

/** A host over time. */
class Host {
  nowMs = 100_000;
  settings = SETTINGS;
  state: OwnerState;
  readonly effects: OwnerEffect[] = [];
  readonly phases: string[] = [];

  constructor(claims?: Claims) {
    this.state = newOwnerState(this.nowMs, claims);
  }

  tell(event: OwnerEvent): this {
    const before = this.state.phase;
    const { state, effects } = stepOwner(this.state, event, this.settings, this.nowMs);
    this.state = state;
    this.effects.push(...effects);
    if (state.phase !== before) this.phases.push(state.phase);
    return this;
  }

  /** Samples every two seconds. */
  see(use: ForeignUse, seconds = 2): this {
    for (let passed = 0; passed < seconds; passed += 2) {
      this.nowMs += 2_000;
      this.tell({ kind: 'sampled', use });
    }
    return this;
  }

  ask(by: 'owner' | 'operator', yields = true): this {
    return this.tell({ kind: 'asked', by, yields });
  }

  freed(afterMs = 0): this {
    this.nowMs += afterMs;
    return this.tell({ kind: 'freed' });
  }

  /** Seconds of this use until the phase is another. */
  until(use: ForeignUse, phase: OwnerState['phase'], atMost = 10_000): number {
    const fromMs = this.nowMs;
    while (this.state.phase !== phase && this.nowMs - fromMs < atMost * 1_000) this.see(use);
    return (this.nowMs - fromMs) / 1_000;
  }
}

function yielded(): Host {
  const host = new Host();
  host.see(GAME, 4).freed(1_500);
  host.effects.length = 0;
  host.phases.length = 0;
  return host;
}

describe('a game', () => {
  test('gets the card within three seconds of being seen', () => {
    const host = new Host().see(QUIET, 60);
    expect(host.until(GAME, 'yielding')).toBeLessThanOrEqual(4);
    const { wantedAtMs } = host.state;
    expect(host.nowMs - (wantedAtMs ?? 0)).toBeLessThanOrEqual(3_000);
    expect(host.effects).toEqual(['hold', 'save']);
    expect(causeOf(host.state.claims)).toBe('foreign_use');
  });

  test('is believed when it is seen twice, not once', () => {
    const host = new Host().see(GAME).see(QUIET).see(GAME).see(QUIET).see(GAME);
    expect(host.state.phase).toBe('serving');
    expect(host.see(GAME).state.phase).toBe('yielding');
  });

  test('is believed as soon with samples that come faster', () => {
    const host = new Host();
    for (let at = 0; at <= 1_500; at += 250) {
      host.nowMs += 250;
      host.tell({ kind: 'sampled', use: GAME });
    }
    expect(host.state.phase).toBe('yielding');
  });

  test('has the card when it is free, and the time until then is known', () => {
    const host = new Host().see(GAME, 4).freed(1_500);
    expect(host.state).toMatchObject({ phase: 'yielded', freedSeconds: 3.5 });
  });

  test('gives it back when it was quiet for as long as declared, not before', () => {
    const host = yielded();
    expect(host.until(QUIET, 'serving')).toBe(302);
    expect(host.effects).toEqual(['release', 'save']);
  });

  test('that works again begins the quiet anew', () => {
    const host = yielded().see(QUIET, 290).see(GAME).see(QUIET, 290);
    expect(host.state.phase).toBe('yielded');
    host.see(QUIET, 20);
    expect(host.state.phase).toBe('serving');
  });

  test('that hovers about the limit is not quiet', () => {
    const host = yielded().see({ vramBytes: 1.2 * GB, utilisationRatio: 0 }, 3_600);
    expect(host.state.phase).toBe('yielded');
    host.see({ vramBytes: 1 * GB, utilisationRatio: 0 }, 304);
    expect(host.state.phase).toBe('serving');
  });

  test('keeps it while nothing can be told', () => {
    const host = yielded().see(UNKNOWN, 3_600);
    expect(host.state.phase).toBe('yielded');
    expect(host.see(QUIET, 304).state.phase).toBe('serving');
  });

  test('is told by memory alone where the driver tells no work', () => {
    const host = new Host().see({ vramBytes: 5 * GB, utilisationRatio: null }, 4).freed();
    expect(host.state.phase).toBe('yielded');
    expect(host.see({ vramBytes: 0, utilisationRatio: null }, 304).state.phase).toBe('serving');
  });

  test('that is gone before the card is free still waits for the quiet', () => {
    const host = new Host().see(GAME, 4).see(QUIET, 20).freed();
    expect(host.state.phase).toBe('yielded');
  });

  test('does not matter where that is declared', () => {
    const host = new Host();
    host.settings = { ...SETTINGS, automatic: false };
    expect(host.see(GAME, 3_600).state.phase).toBe('serving');
  });

  test('does not matter any more as soon as that is declared', () => {
    const host = yielded();
    host.settings = { ...SETTINGS, automatic: false };
    expect(host.tell({ kind: 'settings' }).state.phase).toBe('serving');
    expect(host.effects).toEqual(['release', 'save']);
  });
});

describe('what is no game', () => {
  test('is a window that works hard for a moment', () => {
    const host = new Host();
    for (let round = 0; round < 50; round += 1) {
      host.see({ vramBytes: 0.1 * GB, utilisationRatio: 0.9 }, 8).see(QUIET, 4);
    }
    expect(host.phases).toEqual([]);
  });

  test('counts all the same when it works for ten seconds on end', () => {
    const host = new Host();
    expect(host.until({ vramBytes: 0.1 * GB, utilisationRatio: 0.9 }, 'yielding')).toBe(12);
  });

  test('counts sooner when it takes more memory than a window does', () => {
    const host = new Host();
    expect(host.until({ vramBytes: 0.5 * GB, utilisationRatio: 0.9 }, 'yielding')).toBe(4);
  });

  test('is work of which the memory cannot be told, unless it lasts', () => {
    const host = new Host();
    expect(host.until({ vramBytes: null, utilisationRatio: 0.9 }, 'yielding')).toBe(12);
  });

  test('is nothing at all, however low the limits', () => {
    const host = new Host();
    host.settings = { ...SETTINGS, vramBytes: 0, utilisationRatio: 0 };
    expect(host.see(QUIET, 600).state.phase).toBe('serving');
    expect(host.see({ vramBytes: 1, utilisationRatio: 0 }, 4).state.phase).toBe('yielding');
    host.freed();
    expect(host.see(QUIET, 304).state.phase).toBe('serving');
  });
});

describe('somebody who comes and goes', () => {
  test('waits twice as long after each return that came too early, up to eight times', () => {
    const host = yielded();
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      waits.push(host.until(QUIET, 'serving'));
      host.see(GAME, 4).freed();
    }
    expect(waits.map((seconds) => Math.round(seconds / 300))).toEqual([1, 2, 4, 8, 8, 8]);
  });

  test('is forgiven after a calm time', () => {
    const host = yielded();
    host.until(QUIET, 'serving');
    host.see(GAME, 4).freed();
    expect(Math.round(host.until(QUIET, 'serving') / 300)).toBe(2);
    host.see(QUIET, 3_600);
    host.see(GAME, 4).freed();
    expect(Math.round(host.until(QUIET, 'serving') / 300)).toBe(1);
  });

  test('does not make the host flap, whatever they do', () => {
    const stretch = fc.record({
      use: fc.constantFrom(GAME, QUIET, UNKNOWN, { vramBytes: 1.2 * GB, utilisationRatio: 0.25 }),
      seconds: fc.integer({ min: 2, max: 500 }),
    });
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 20, maxLength: 60 }), (stretches) => {
        const host = new Host();
        const fromMs = host.nowMs;
        for (const { use, seconds } of stretches) {
          host.see(use, seconds);
          if (host.state.phase === 'yielding') host.freed();
        }
        const returns = host.phases.filter((phase) => phase === 'serving').length;
        const hours = (host.nowMs - fromMs) / 3_600_000;
        expect(returns).toBeLessThanOrEqual(1 + (hours * 3_600) / SETTINGS.quietSeconds);
      }),
      { numRuns: 150 },
    );
  });
});

describe('what is said', () => {
  test.each(['owner', 'operator'] as const)('by the %s holds until it is taken back', (by) => {
    const host = new Host().ask(by);
    expect(host.state.phase).toBe('yielding');
    expect(causeOf(host.state.claims)).toBe(by);
    host.freed(4_200);
    expect(host.state).toMatchObject({ phase: 'yielded', freedSeconds: 4.2 });
    expect(host.see(QUIET, 7_200).state.phase).toBe('yielded');
    expect(host.ask(by, false).state.phase).toBe('serving');
  });

  test('twice is said once', () => {
    const host = new Host().ask('owner').freed(2_000);
    host.effects.length = 0;
    host.ask('owner');
    expect(host.effects).toEqual([]);
    expect(host.state).toMatchObject({ phase: 'yielded', freedSeconds: 2 });
  });

  test('goes before what is seen', () => {
    const host = yielded().ask('owner');
    expect(causeOf(host.state.claims)).toBe('owner');
    expect(host.effects).toEqual(['save']);
    expect(host.see(QUIET, 3_600).state.phase).toBe('yielded');
  });

  test('by the operator is not taken back by a quiet card, nor the owner’s by the operator', () => {
    const host = new Host().ask('owner').ask('operator').freed();
    host.ask('operator', false);
    expect(host.state.phase).toBe('yielded');
    expect(causeOf(host.state.claims)).toBe('owner');
  });

  test('by the owner also takes back what the operator gave', () => {
    const host = new Host().ask('operator').freed().ask('owner', false);
    expect(host.state.phase).toBe('serving');
  });

  test('to give the card back means it, whatever runs on it, until that was gone for once', () => {
    const host = yielded().ask('owner', false);
    expect(host.state.phase).toBe('serving');
    expect(host.see(GAME, 3_600).state.phase).toBe('serving');
    host.see(QUIET, 4).see(GAME, 60);
    expect(host.state.phase).toBe('serving');
    host.see(QUIET, 14).see(GAME, 4);
    expect(host.state.phase).toBe('yielding');
  });

  test('to give back what nobody took changes nothing', () => {
    const host = new Host().ask('owner', false).ask('operator', false);
    expect(host.effects).toEqual([]);
    expect(host.see(GAME, 4).state.phase).toBe('yielding');
  });

  test('survives a restart of the agent', () => {
    const host = new Host({ owner: true, operator: false, foreign: false });
    expect(host.state.phase).toBe('yielding');
    expect(host.freed().state).toMatchObject({ phase: 'yielded', freedSeconds: 0 });
  });

  test('after a restart what was seen has to go quiet first', () => {
    const host = new Host({ owner: false, operator: false, foreign: true }).freed();
    expect(host.see(UNKNOWN, 600).state.phase).toBe('yielded');
    expect(host.until(QUIET, 'serving')).toBe(302);
  });
});

describe('settings that change', () => {
  test('hold what is held on their terms', () => {
    const host = yielded().tell({ kind: 'settings' });
    expect(host.effects).toEqual(['hold']);
    expect(new Host().tell({ kind: 'settings' }).effects).toEqual([]);
  });

  test('count for the quiet that is waited for', () => {
    const host = yielded().see(QUIET, 100);
    host.settings = { ...SETTINGS, quietSeconds: 60 };
    expect(host.see(QUIET).state.phase).toBe('serving');
  });
});

describe('whatever happens', () => {
  const event: fc.Arbitrary<OwnerEvent> = fc.oneof(
    fc.record({
      kind: fc.constant('sampled' as const),
      use: fc.constantFrom(GAME, QUIET, UNKNOWN),
    }),
    fc.record({
      kind: fc.constant('asked' as const),
      by: fc.constantFrom('owner', 'operator'),
      yields: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('freed' as const) }),
    fc.record({ kind: fc.constant('settings' as const) }),
  );

  test('the cards are held exactly while somebody wants them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(event, fc.integer({ min: 0, max: 400_000 })), { maxLength: 80 }),
        (events) => {
          const host = new Host();
          let held = false;
          for (const [happened, afterMs] of events) {
            host.nowMs += afterMs;
            host.effects.length = 0;
            host.tell(happened);
            for (const effect of host.effects) {
              if (effect === 'hold') held = true;
              if (effect === 'release') held = false;
            }
            const wanted = causeOf(host.state.claims) !== null;
            expect(held).toBe(wanted);
            expect(host.state.phase === 'serving').toBe(!wanted);
            expect(host.state.wantedAtMs === null).toBe(!wanted);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
