import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, test } from 'vitest';
import { SessionWatch } from './session-watch.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function watch(platform: NodeJS.Platform, answer: (args: readonly string[]) => string | Error) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const sessions = new SessionWatch({
    ...{ platform, windowsDirectory: 'C:\\Windows', clock },
    run: async (file, args) => {
      asked.push([file, ...args].join(' '));
      const said = answer(args);
      if (said instanceof Error) throw said;
      return said;
    },
  });
  sessions.start();
  return { clock, asked, sessions };
}

describe('the look at sessions', () => {
  test('of Linux asks for the sessions that there are, every half minute', async () => {
    const { clock, asked, sessions } = watch('linux', ([verb]) =>
      verb === 'list-sessions' ? '2 1000 alice\n' : 'Class=user\nRemote=no\nState=active\nIdleHint=no\n',
    );
    await settled();
    expect(sessions.facts).toEqual({ present: true, remoteSession: false });
    expect(asked[1]).toMatch(/^loginctl show-session .* 2$/);
    clock.advance(30_000);
    await settled();
    expect(asked).toHaveLength(4);
    sessions.close();
    clock.advance(3_600_000);
    await settled();
    expect(asked).toHaveLength(4);
  });

  test('where there is no such program is not taken again soon', async () => {
    const { clock, asked, sessions } = watch('linux', () => Object.assign(new Error(''), { code: 'ENOENT' }));
    await settled();
    expect(sessions.facts).toEqual({ present: null, remoteSession: null });
    clock.advance(599_000);
    await settled();
    expect(asked).toHaveLength(1);
    clock.advance(1_000);
    await settled();
    expect(asked).toHaveLength(2);
  });

  test('of Windows knows nobody by an exit code', async () => {
    const { asked, sessions } = watch('win32', () => Object.assign(new Error('No User exists'), { code: 1 }));
    await settled();
    expect(asked).toEqual(['C:\\Windows\\System32\\quser.exe']);
    expect(sessions.facts).toEqual({ present: false, remoteSession: false });
  });
});
