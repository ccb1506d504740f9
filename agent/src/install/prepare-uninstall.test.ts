import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import type { LeaveAnswer } from './end-replicas.js';
import { InstallRefusedError } from './install-errors.js';
import type { InstallRefusal } from './install-steps.js';
import { prepareUninstall } from './prepare-uninstall.js';

type Verb = 'leave' | 'stay' | 'status';
/** What an agent says to a verb: that of a status, nobody, or nothing in time. */
type Answer = LeaveAnswer['leaving'] | 'nobody' | 'missed';

interface Stage {
  /** In their order; the last one is given for ever. */
  readonly answers: readonly Answer[];
  readonly toStay?: Answer;
  readonly late?: InstallRefusal | null;
  readonly platform?: NodeJS.Platform;
  /** Somebody presses Ctrl-C after so much was done. */
  readonly interruptedAfter?: number;
}

const UPGRADE: InstallRefusal = {
  ...{ code: 'upgrade_under_way', detail: 'An upgrade is under way.', fix: 'Wait for its end.' },
};

function say(answer: Answer): LeaveAnswer | null {
  if (answer === 'nobody') return null;
  if (answer === 'missed') throw new Error('The agent cannot be asked: it does not answer.');
  return { leaving: answer, replicas: [{ deployment: 'qwen' }] };
}

/** What came of it, and all that was done, in its order. */
async function prepare(stage: Stage) {
  const { answers, toStay = null, late = null, platform = 'linux', interruptedAfter = Infinity } = stage;
  const clock = new ManualClock();
  const done: string[] = [];
  let at = 0;
  const ask = async (verb: Verb): Promise<LeaveAnswer | null> => {
    done.push(verb);
    if (verb === 'stay') return say(toStay);
    const answer = answers[Math.min(at, answers.length - 1)] ?? null;
    at += 1;
    return say(answer);
  };
  const outcome = await prepareUninstall({
    ...{ ask, clock, platform, purge: false },
    pause: async (delayMs) => clock.advance(delayMs),
    onWait: (why) => void done.push(`waits: ${why}`),
    isInterrupted: () => done.length >= interruptedAfter,
    system: {
      leftovers: async () => {
        done.push('leftovers');
        return ['1 container'];
      },
      refuseUninstall: async () => {
        done.push('may it?');
        return late;
      },
    },
  }).catch((error: unknown) => error);
  return { outcome, done, passedMs: clock.monotonicMs() };
}

function refusalOf(outcome: unknown): InstallRefusal | undefined {
  expect(outcome).toBeInstanceOf(InstallRefusedError);
  return outcome instanceof InstallRefusedError ? outcome.refusals[0] : undefined;
}

describe('before an agent is taken away', () => {
  it('its replicas end, then its engine is asked for what stays, and the last is whether it may still', async () => {
    const { outcome, done } = await prepare({ answers: ['draining', 'draining', 'free'] });
    expect(outcome).toEqual(['1 container']);
    expect(done).toEqual(['leave', 'waits: draining', 'status', 'status', 'leftovers', 'may it?']);
  });

  it('nothing is waited for where nobody listens', async () => {
    const { done, passedMs } = await prepare({ answers: ['nobody'] });
    expect([done, passedMs]).toEqual([['leave', 'leftovers', 'may it?'], 0]);
  });

  it('a missed answer is no sign that it is gone: it is asked again, for the same', async () => {
    const { outcome, done } = await prepare({ answers: ['missed', 'draining', 'missed', 'free'] });
    expect(outcome).toEqual(['1 container']);
    expect(done.filter((each) => !each.startsWith('waits'))).toEqual([
      ...['leave', 'leave', 'status', 'status', 'leftovers', 'may it?'],
    ]);
  });

  it('one that ends while it drains is gone', async () => {
    const { outcome } = await prepare({ answers: ['draining', 'missed', 'nobody'] });
    expect(outcome).toEqual(['1 container']);
  });

  it('one that started anew has forgotten it, and is told again', async () => {
    const { done } = await prepare({ answers: ['draining', null, 'draining', 'free'] });
    expect(done.filter((each) => each === 'leave' || each === 'status')).toEqual([
      ...['leave', 'status', 'leave', 'status'],
    ]);
  });

  it.each([
    ['linux', 'systemctl restart ai-fabric-agent', 'systemctl stop ai-fabric-agent'],
    ['win32', 'Restart-Service ai-fabric-agent', 'Stop-Service ai-fabric-agent'],
  ] as const)(
    'one that never answers is refused after four minutes, with how to go on: %s',
    async (platform, restart, stop) => {
      const { outcome, done, passedMs } = await prepare({ answers: ['missed'], toStay: 'missed', platform });
      expect(refusalOf(outcome)).toEqual({
        code: 'agent_silent',
        detail: expect.stringMatching(/nothing was taken away\. The agent cannot be asked/),
        fix: expect.stringMatching(new RegExp(`${restart}.*${stop}`)),
      });
      expect(passedMs).toBe(240_000);
      expect(done.filter((each) => each.startsWith('waits'))).toEqual(['waits: silent']);
      expect(done).not.toContain('leftovers');
    },
  );

  it.each([
    ['stuck', 0],
    ['draining', 240_000],
  ] as const)('a replica that does not end is named, and all come back: %s', async (last, ms) => {
    const { outcome, done, passedMs } = await prepare({ answers: [last] });
    const refusal = refusalOf(outcome);
    expect(refusal).toMatchObject({
      code: 'replica_not_ended',
      detail: 'A replica does not end (qwen): nothing was taken away.',
    });
    expect(refusal?.fix).not.toContain('systemctl');
    expect([done.at(-1), passedMs]).toEqual(['stay', ms]);
  });

  it.each(['missed', 'stuck'] as const)(
    'says how replicas come back where they cannot be let go: %s',
    async (toStay) => {
      const { outcome } = await prepare({ answers: ['stuck'], toStay });
      expect(refusalOf(outcome)?.fix).toContain('sudo systemctl restart ai-fabric-agent brings them back');
    },
  );

  it.each([
    ['before anybody was asked', 0, ['stay']],
    ['while requests end', 2, ['leave', 'waits: draining', 'stay']],
    ['once all have ended', 4, ['leave', 'waits: draining', 'status', 'leftovers', 'stay']],
  ] as const)('interrupted %s, all come back', async (_when, interruptedAfter, expected) => {
    const { outcome, done } = await prepare({ answers: ['draining', 'free'], interruptedAfter });
    expect(refusalOf(outcome)).toMatchObject({
      ...{ code: 'interrupted', detail: 'Interrupted: nothing was taken away.' },
    });
    expect(done.filter((each) => each !== 'may it?')).toEqual(expected);
  });

  it.each([
    ['are let go', null, UPGRADE.fix],
    ['come back with its next start', 'nobody', UPGRADE.fix],
    ['are held down', 'missed', expect.stringContaining('systemctl restart')],
  ] as const)('an upgrade that began meanwhile ends it, and replicas %s', async (_how, toStay, fix) => {
    const { outcome, done } = await prepare({ answers: ['free'], toStay, late: UPGRADE });
    expect(refusalOf(outcome)).toEqual({ ...UPGRADE, fix });
    expect(done.slice(-2)).toEqual(['may it?', 'stay']);
  });
});
