import { ManualClock } from '@ai-fabric/shared/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Deferrable, TurnShare } from './turn-share.js';

let clock: ManualClock;
let atTurnEnd: (() => void)[];
let done: string[];
let share: TurnShare;

beforeEach(() => {
  clock = new ManualClock();
  atTurnEnd = [];
  done = [];
  share = new TurnShare(clock, 2, (run) => void atTurnEnd.push(run));
});

function work(name: string, lastsMs: number): Deferrable {
  return {
    proceed() {
      done.push(name);
      clock.advance(lastsMs);
    },
  };
}

function endTurn(): void {
  for (const run of atTurnEnd.splice(0)) run();
}

describe('TurnShare', () => {
  it('does at once what comes while the turn has room', () => {
    share.take(work('a', 0.5));
    share.take(work('b', 0.5));
    expect(done).toEqual(['a', 'b']);
    expect(share.waiting).toBe(0);
    endTurn();
    expect(atTurnEnd).toEqual([]);
  });

  it('lets what is beyond a share wait for the next turn, in its order', () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) share.take(work(name, 1));
    expect(done).toEqual(['a', 'b']);
    endTurn();
    expect(done).toEqual(['a', 'b', 'c', 'd']);
    endTurn();
    expect(done).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(share.waiting).toBe(0);
  });

  it('gives each turn a share of its own, however long ago the last one was', () => {
    share.take(work('a', 10));
    endTurn();
    clock.advance(1_000);
    share.take(work('b', 0));
    expect(done).toEqual(['a', 'b']);
  });

  it('lets nobody overtake those that wait', () => {
    for (const name of ['a', 'b', 'c']) share.take(work(name, 3));
    endTurn();
    share.take(work('d', 0));
    expect(done).toEqual(['a', 'b']);
    endTurn();
    endTurn();
    expect(done).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does at least one in each turn, though each is more than a share', () => {
    for (const name of ['a', 'b', 'c']) share.take(work(name, 50));
    endTurn();
    endTurn();
    expect(done).toEqual(['a', 'b', 'c']);
  });

  it('keeps nothing of what is done while there is always more to do', () => {
    share.take(work('first', 3));
    for (let turn = 0; turn < 1_000; turn++) {
      share.take(work('more', 1));
      share.take(work('more', 1));
      endTurn();
    }
    expect(share.waiting).toBeLessThan(10);
    expect(done.length).toBeGreaterThan(1_990);
  });

  it('takes new work from what it does', () => {
    share.take({
      proceed() {
        share.take(work('inner', 0));
        done.push('outer');
      },
    });
    expect(done).toEqual(['inner', 'outer']);
  });
});
