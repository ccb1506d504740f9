import { pino } from 'pino';
import { expect, test } from 'vitest';
import { guardDirectory } from './guard-directory.js';

function guard(platform: NodeJS.Platform, answer: Promise<void> = Promise.resolve()) {
  const calls: string[][] = [];
  const said: string[] = [];
  const guarding = guardDirectory('C:\\data', {
    ...{ windowsDirectory: 'C:\\Windows', account: 'chef', platform },
    log: pino({ base: null }, { write: (line: string) => said.push(line) }),
    run: (file, args) => {
      calls.push([file, ...args]);
      return answer;
    },
  });
  return guarding.then(() => ({ calls, said }));
}

test('on Windows the data directory is for the system, the administrators and its own account', async () => {
  const { calls, said } = await guard('win32');
  expect(calls).toEqual([
    [
      ...['C:\\Windows\\System32\\icacls.exe', 'C:\\data', '/inheritance:r', '/grant:r'],
      ...['*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F', 'chef:(OI)(CI)F'],
    ],
  ]);
  expect(said).toEqual([]);
});

test('a disk without access lists is told and keeps nobody from working', async () => {
  const { said } = await guard('win32', Promise.reject(new Error('not supported')));
  expect(said.join()).toContain('could not be kept from other accounts');
});

test('where files have modes nothing is run', async () => {
  expect((await guard('linux')).calls).toEqual([]);
});
