import type { CommandOf, GoodbyeReason, PowerVerb } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { HostPower, type HostPowerOptions } from './host-power.js';
import { PowerError } from './power-port.js';

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** A host whose every part writes down what is done to it. */
class Rig {
  readonly clock = new ManualClock();
  readonly done: string[] = [];
  readonly repairs: string[] = [];
  readonly link = new AbortController();
  freeCards: () => void = () => undefined;
  refuseCards: (error: Error) => void = () => undefined;
  actError: Error | null = null;
  holdError: Error | null = null;
  sent = { sent: 4, problems: [] as string[] };
  readonly park = {
    isParked: false,
    keep: (isParked: boolean): Promise<void> => {
      this.park.isParked = isParked;
      return Promise.resolve();
    },
  };
  readonly power: HostPower;

  constructor(over: Partial<HostPowerOptions> = {}) {
    this.power = new HostPower({
      port: {
        act: async (verb) => {
          this.done.push(verb);
          if (this.actError !== null) throw this.actError;
        },
        hold: async () => {
          this.done.push('hold');
          if (this.holdError !== null) throw this.holdError;
        },
        release: () => this.done.push('release'),
        close: () => this.done.push('close'),
      },
      sendVolley: () => Promise.resolve(this.sent),
      replicas: {
        holdDown: (reason, { action, drainSeconds }) => {
          this.done.push(`${reason} ${action} ${drainSeconds}`);
          return new Promise((resolve, reject) => {
            this.freeCards = resolve;
            this.refuseCards = reject;
          });
        },
        release: (reason) => this.done.push(`let ${reason} go`),
        doubt: () => this.done.push('doubt'),
      },
      link: {
        goodbye: (reason: GoodbyeReason) => {
          this.done.push(`goodbye ${reason}`);
          return Promise.resolve();
        },
        back: () => this.done.push('back'),
      },
      repair: {
        note: () => undefined,
        begin: (stopped) => this.repairs.push(stopped ? 'of stopped engines' : 'of engines that ran on'),
        end: () => this.repairs.push('end'),
      },
      park: this.park,
      allowed: ['suspend', 'poweroff', 'reboot'],
      bootId: 'boot-1',
      platform: 'linux',
      clock: this.clock,
      log: pino({ level: 'silent' }),
      ...over,
    });
  }

  ask(verb: PowerVerb, bootId = 'boot-1') {
    const command: CommandOf<'power'> = { name: 'power', verb, bootId, drainSeconds: 20, reason: 'idle' };
    return this.power.execute(command, this.link.signal);
  }
}

describe('a host that is put to sleep', () => {
  it('stops its engines, says goodbye, and only then sleeps; back, it begins again', async () => {
    const rig = new Rig();
    const asked = rig.ask('suspend');
    await settle();
    expect(rig.done).toEqual(['power stop 20']);
    rig.freeCards();
    await settle();
    expect(rig.done).toEqual(['power stop 20', 'goodbye suspend', 'suspend']);
    rig.power.resumed();
    expect(await asked).toEqual({ result: 'done' });
    expect(rig.done.slice(3)).toEqual(['back', 'let power go']);
    expect(rig.repairs).toEqual(['end', 'of stopped engines']);
  });

  it.each([
    ['poweroff', 'goodbye shutdown'],
    ['reboot', 'goodbye restart'],
  ] as const)('%s says %s', async (verb, goodbye) => {
    const rig = new Rig();
    void rig.ask(verb);
    await settle();
    rig.freeCards();
    await settle();
    expect(rig.done.slice(1)).toEqual([goodbye, verb]);
  });

  it('does nothing that is stale or not allowed', async () => {
    const rig = new Rig();
    expect(await rig.ask('suspend', 'boot-0')).toMatchObject({ code: 'void_on_new_boot' });
    expect(await rig.ask('hibernate')).toMatchObject({ code: 'policy_refused' });
    rig.link.abort();
    expect(await rig.ask('suspend')).toMatchObject({ result: 'refused', code: 'void_on_new_link' });
    expect(rig.done).toEqual([]);
  });

  it('stays up when its link goes away while it drains', async () => {
    const rig = new Rig();
    const asked = rig.ask('suspend');
    await settle();
    rig.link.abort();
    expect(await asked).toMatchObject({ result: 'failed', code: 'void_on_new_link' });
    rig.freeCards();
    await settle();
    expect(rig.done).toEqual(['power stop 20', 'let power go']);
  });

  it('does not sleep while an engine holds its card, and powers off all the same', async () => {
    const rig = new Rig();
    const asked = rig.ask('suspend');
    await settle();
    rig.refuseCards(new Error('These replicas did not give their cards back in time: chat.'));
    expect(await asked).toMatchObject({
      code: 'engines_not_stopped',
      detail: expect.stringContaining('chat'),
    });
    expect(rig.done).toEqual(['power stop 20', 'let power go']);

    const other = new Rig();
    void other.ask('poweroff');
    await settle();
    other.refuseCards(new Error('no'));
    await settle();
    expect(other.done).toEqual(['power stop 20', 'goodbye shutdown', 'poweroff']);
  });

  it('waits for its engines no longer than they have', async () => {
    const rig = new Rig();
    const asked = rig.ask('suspend');
    await settle();
    rig.clock.advance(190_000);
    expect(await asked).toMatchObject({ code: 'engines_not_stopped' });
  });

  it('goes on when the system refuses, and says why', async () => {
    const rig = new Rig();
    rig.actError = new PowerError('power_denied', 'Access denied.');
    const asked = rig.ask('suspend');
    await settle();
    rig.freeCards();
    expect(await asked).toEqual({ result: 'failed', code: 'power_denied', detail: 'Access denied.' });
    expect(rig.done.slice(-2)).toEqual(['back', 'let power go']);
  });

  it('goes on when the system took the order and nothing came of it', async () => {
    const rig = new Rig();
    const asked = rig.ask('suspend');
    await settle();
    rig.freeCards();
    await settle();
    rig.clock.advance(60_000);
    expect(await asked).toMatchObject({ result: 'failed', code: 'power_unchanged' });
    expect(rig.done.slice(-2)).toEqual(['back', 'let power go']);
  });

  it('takes one order at a time', async () => {
    const rig = new Rig();
    void rig.ask('suspend');
    await settle();
    expect(await rig.ask('poweroff')).toMatchObject({ code: 'power_under_way' });
  });
});

describe('a host whose user puts it to sleep', () => {
  it('says goodbye and stops its engines as far as there is time', async () => {
    const rig = new Rig();
    const asleep = rig.power.systemSuspends(4_000);
    await settle();
    expect(rig.done).toEqual(['goodbye suspend', 'power stop 0']);
    rig.clock.advance(4_000);
    await asleep;
    rig.power.resumed();
    expect(rig.done.slice(2)).toEqual(['doubt', 'back', 'let power go']);
    expect(rig.repairs.at(-1)).toBe('of engines that ran on');
  });

  it('says it once when it was told to sleep by us', async () => {
    const rig = new Rig();
    void rig.ask('suspend');
    await settle();
    rig.freeCards();
    await settle();
    await rig.power.systemSuspends(4_000);
    expect(rig.done.filter((each) => each.startsWith('goodbye'))).toHaveLength(1);
  });
});

describe('a host that is back', () => {
  it('hears of one resume once, whoever tells of it', () => {
    const rig = new Rig();
    rig.power.resumed();
    rig.clock.advance(2_000);
    rig.power.resumed();
    expect(rig.done).toEqual(['doubt', 'back', 'let power go']);
  });

  it('did not suspend after all: everything goes on after a minute', async () => {
    const rig = new Rig();
    void rig.power.systemSuspends(4_000);
    rig.freeCards();
    await settle();
    rig.clock.advance(60_000);
    expect(rig.done).toEqual(['goodbye suspend', 'power stop 0', 'back', 'let power go']);
  });

  it('restarts when nothing else brings its card back, and goes on when that is refused', async () => {
    const rig = new Rig();
    rig.actError = new PowerError('power_inhibited', 'Somebody types.');
    await expect(rig.power.reboot('gpu_lost')).rejects.toThrow('Somebody types.');
    expect(rig.done).toEqual(['goodbye restart', 'reboot', 'back', 'let power go']);
  });
});

describe('a machine that is kept awake', () => {
  const hold = (rig: Rig, seconds: number) =>
    rig.power.execute({ name: 'hold_awake', seconds }, rig.link.signal);

  it('may sleep when the last lease is over; each replaces the one before', async () => {
    const rig = new Rig();
    await hold(rig, 60);
    rig.clock.advance(50_000);
    await hold(rig, 60);
    rig.clock.advance(59_000);
    expect(rig.done).toEqual(['hold', 'hold']);
    rig.clock.advance(1_000);
    expect(rig.done).toEqual(['hold', 'hold', 'release']);
    await hold(rig, 0);
    expect(rig.done).toHaveLength(3);
  });

  it('is let go at once by a lease of nothing', async () => {
    const rig = new Rig();
    await hold(rig, 600);
    await hold(rig, 0);
    expect(rig.done).toEqual(['hold', 'release']);
  });

  it('says when it cannot be held', async () => {
    const rig = new Rig();
    rig.holdError = new PowerError('power_failed', 'no logind');
    expect(await hold(rig, 60)).toEqual({ result: 'failed', code: 'power_failed', detail: 'no logind' });
    rig.clock.advance(60_000);
    expect(rig.done).toEqual(['hold', 'release']);
  });

  it('holds itself on Windows when it is back, whatever the control plane says', async () => {
    const rig = new Rig({ platform: 'win32' });
    rig.power.resumed();
    await settle();
    expect(rig.done).toEqual(['doubt', 'back', 'let power go', 'hold']);
    await hold(rig, 60);
    await hold(rig, 0);
    expect(rig.done).not.toContain('release');
    rig.clock.advance(600_000);
    expect(rig.done.at(-1)).toBe('release');
  });
});

describe('a host that is parked', () => {
  const park = (rig: Rig) => rig.power.execute({ name: 'park', drainSeconds: 5 }, rig.link.signal);
  const unpark = (rig: Rig) => rig.power.execute({ name: 'unpark' }, rig.link.signal);

  it('frees its cards and keeps running, until it is unparked', async () => {
    const rig = new Rig();
    const parked = park(rig);
    await settle();
    rig.freeCards();
    expect(await parked).toEqual({ result: 'done' });
    expect(await unpark(rig)).toEqual({ result: 'done' });
    expect(rig.done).toEqual(['parked park 5', 'let parked go']);
  });

  it('is parked again by the next agent, before any replica starts', async () => {
    const rig = new Rig();
    void park(rig);
    await settle();
    expect(rig.park.isParked).toBe(true);
    const next = new Rig();
    next.power.start();
    expect(next.done).toEqual([]);
    next.park.isParked = true;
    next.power.start();
    expect(next.done).toEqual(['parked park 0']);
    next.refuseCards(new Error('chat holds on'));
    await settle();
    expect(await unpark(next)).toEqual({ result: 'done' });
    expect(next.park.isParked).toBe(false);
    expect(next.done.at(-1)).toBe('let parked go');
  });

  it('is parked no more when its machine was asleep: who wakes it wants its engines', async () => {
    const rig = new Rig();
    const parked = park(rig);
    await settle();
    rig.freeCards();
    await parked;
    rig.power.resumed();
    await settle();
    expect(rig.park.isParked).toBe(false);
    expect(rig.done).toContain('let parked go');
  });

  it('is back at once when it is wanted before it was done', async () => {
    const rig = new Rig();
    const parked = park(rig);
    await settle();
    expect(await unpark(rig)).toEqual({ result: 'done' });
    expect(await parked).toMatchObject({ result: 'failed', code: 'superseded' });
  });

  it('says whose card did not come free', async () => {
    const rig = new Rig();
    const parked = park(rig);
    await settle();
    rig.refuseCards(new Error('chat holds on'));
    expect(await parked).toEqual({ result: 'failed', code: 'not_parked', detail: 'chat holds on' });
  });
});

describe('a host that wakes a neighbour', () => {
  const order = {
    ...{ wakeId: 'w1', macs: ['52:54:00:bb:00:01'], gatewayMac: null, addresses: [], ports: [9] },
  };
  const wake = (rig: Rig) => rig.power.execute({ name: 'send_magic_packets', order }, rig.link.signal);

  it.each([
    [{ sent: 4, problems: [] }, { result: 'done' }],
    [{ sent: 1, problems: ['to 192.0.2.9: EACCES'] }, { result: 'done' }],
    [
      { sent: 0, problems: ['from 192.0.2.9: EADDRNOTAVAIL'] },
      { result: 'failed', code: 'not_sent', detail: 'from 192.0.2.9: EADDRNOTAVAIL' },
    ],
    [
      { sent: 0, problems: [] },
      { result: 'refused', code: 'not_on_that_lan' },
    ],
  ])('%j: %j', async (sent, outcome) => {
    const rig = new Rig();
    rig.sent = sent;
    expect(await wake(rig)).toMatchObject(outcome);
  });
});
