import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linuxPower } from './linux-power.js';
import { watchSleep } from './sleep-watch.js';

const log = pino({ level: 'silent' });
let folder = '';
let opened: { close(): void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sleep-watch-'));
});
afterEach(() => {
  for (const each of opened) each.close();
  opened = [];
  // What was closed still writes that it let go.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});

function program(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** Runs what it is told to as systemd-inhibit does, and writes down when it holds and lets go. */
const inhibitor = (): string =>
  program('inhibit', `echo held "$1" "$2" >>${folder}/log; cat >/dev/null; echo let go >>${folder}/log`);

const logged = (): string[] => {
  try {
    return readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
};

const line = (value: boolean): string =>
  `/org/freedesktop/login1: org.freedesktop.login1.Manager.PrepareForSleep (${value},)`;

describe('a suspend that logind tells of', () => {
  it('is held up for the goodbye, let go, and held up again for the next', async () => {
    const fifo = join(folder, 'signals');
    writeFileSync(fifo, '');
    const monitor = program('monitor', `tail -f -n +1 ${fifo}`);
    const happened: string[] = [];
    let bye: () => void = () => undefined;
    const said = new Promise<void>((resolve) => {
      bye = resolve;
    });
    opened.push(
      watchSleep({
        clock: systemClock(),
        log,
        onAboutToSleep: () => {
          happened.push('about to sleep');
          return said;
        },
        onAwake: () => happened.push('awake'),
        programs: { inhibit: inhibitor(), monitors: [{ file: monitor, args: [] }] },
      }),
    );
    await expect.poll(logged).toEqual(['held --what=sleep --mode=delay']);
    writeFileSync(fifo, `Monitoring signals\n${line(true)}\n`);
    await expect.poll(() => happened).toEqual(['about to sleep']);
    expect(logged()).toHaveLength(1);
    bye();
    await expect.poll(logged).toEqual(['held --what=sleep --mode=delay', 'let go']);
    writeFileSync(fifo, `${line(false)}\n`, { flag: 'a' });
    await expect.poll(() => happened).toEqual(['about to sleep', 'awake']);
    await expect.poll(() => logged().at(-1)).toBe('held --what=sleep --mode=delay');
  });

  it('is heard by another where the first does not work, and by none where none does', async () => {
    const works = program('works', `echo '${line(false)}'; cat >/dev/null`);
    let awake = 0;
    const watch = (monitors: string[]): void => {
      opened.push(
        watchSleep({
          clock: systemClock(),
          log,
          onAboutToSleep: () => Promise.resolve(),
          onAwake: () => {
            awake += 1;
          },
          programs: { inhibit: inhibitor(), monitors: monitors.map((file) => ({ file, args: [] })) },
        }),
      );
    };
    watch([join(folder, 'nowhere'), program('refused', 'exit 1'), works]);
    await expect.poll(() => awake).toBe(1);
    for (const each of opened) each.close();
    await expect.poll(() => logged().at(-1)).toBe('let go');
    rmSync(join(folder, 'log'));
    watch([join(folder, 'nowhere')]);
    await expect.poll(() => logged().at(-1)).toBe('let go');
  });
});

describe('a Linux machine', () => {
  const port = (inhibit: string, runTool = (): Promise<string> => Promise.resolve('')) => {
    const power = linuxPower({ runTool, log, inhibit });
    opened.push(power);
    return power;
  };

  it('is held awake by one inhibitor, until it is let go', async () => {
    const power = port(inhibitor());
    await power.hold();
    await power.hold();
    power.release();
    await expect.poll(logged).toEqual(['held --what=sleep:idle --mode=block', 'let go']);
  });

  it('says when it cannot be held', async () => {
    const refused = program('refused', 'echo "Failed to inhibit: Access denied" >&2; exit 1');
    await expect(port(refused).hold()).rejects.toThrow('Access denied');
    await expect(port(join(folder, 'nowhere')).hold()).rejects.toMatchObject({ code: 'power_failed' });
  });

  it('lets go before it sleeps, and asks without a password', async () => {
    const ran: string[] = [];
    const power = port(inhibitor(), (...[file, args]: unknown[]) => {
      ran.push(`${String(file)} ${(args as string[]).join(' ')}`);
      return Promise.resolve('');
    });
    await power.hold();
    await power.act('suspend');
    expect(ran).toEqual(['systemctl suspend --no-ask-password']);
    await expect.poll(() => logged().at(-1)).toBe('let go');
  });

  it('says why it is refused', async () => {
    const refuse = (): Promise<string> =>
      Promise.reject(
        new Error('Command failed: systemctl suspend\nFailed: Interactive authentication required.'),
      );
    await expect(port(inhibitor(), refuse).act('suspend')).rejects.toMatchObject({ code: 'power_denied' });
  });
});
