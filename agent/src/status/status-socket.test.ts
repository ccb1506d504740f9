import { mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AgentStatus } from './agent-status.js';
import { askStatus, askVerb, openStatusSocket, StateInUseError } from './status-socket.js';

const { platform } = process;
const status: AgentStatus = {
  pid: 42,
  version: '0.1.0',
  startedAtMs: 0,
  server: 'https://motoko:8443',
  hostName: 'armitage',
  hostId: 'h1',
  link: { state: 'linked', linkedSinceMs: 1, clockAheadMs: 2, problem: null, problemCode: null },
  ...{ containerEngine: null, wake: null, cardsAsked: true, leaving: null, upgrade: null, engines: [] },
  cards: [],
  issues: [],
  replicas: [],
  owner: null,
  waitingSamples: 0,
  droppedSamples: 0,
};
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-status-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** What an agent that was killed leaves. */
async function leaveSocketBehind(where: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(where, 'killed.sock'), resolve));
  await rename(join(where, 'killed.sock'), join(where, 'agent.sock'));
  await new Promise((resolve) => server.close(resolve));
}

describe('the status socket', () => {
  test('answers with what is true when it is asked', async () => {
    let waitingSamples = 0;
    const socket = await openStatusSocket(directory, platform, () => ({ ...status, waitingSamples }));
    expect(await askStatus(directory, platform)).toEqual(status);
    waitingSamples = 7;
    expect(await askStatus(directory, platform)).toMatchObject({ waitingSamples: 7 });
    await socket.close();
    expect(await askStatus(directory, platform)).toBeNull();
  });

  test('tells what the owner says, and asks for the status where nothing is said', async () => {
    const heard: string[] = [];
    const socket = await openStatusSocket(directory, platform, async (verb) => {
      heard.push(verb);
      await Promise.resolve();
      return status;
    });
    await askVerb(directory, platform, 'yield');
    await askVerb(directory, platform, 'unyield');
    await new Promise<void>((resolve) => {
      connect(join(directory, 'agent.sock'))
        .on('data', () => undefined)
        .on('close', () => resolve());
    });
    await new Promise<void>((resolve) => {
      const odd = connect(join(directory, 'agent.sock')).on('data', () => undefined);
      odd.on('close', () => resolve());
      odd.write('x'.repeat(100));
    });
    expect(heard).toEqual(['yield', 'unyield', 'status', 'status']);
    await socket.close();
  });

  test('that cannot do what was asked gives no answer, and stays', async () => {
    const socket = await openStatusSocket(directory, platform, (verb) => {
      if (verb === 'yield') throw new Error('disk full');
      return status;
    });
    await expect(askVerb(directory, platform, 'yield')).rejects.toThrow();
    expect(await askStatus(directory, platform)).toEqual(status);
    await socket.close();
  });

  test('is one per state directory, and names who has it', async () => {
    const socket = await openStatusSocket(directory, platform, () => status);
    const second = openStatusSocket(directory, platform, () => status);
    await expect(second).rejects.toThrow(StateInUseError);
    await expect(second).rejects.toThrow('process 42');
    const other = join(directory, 'other');
    await mkdir(other);
    await (await openStatusSocket(other, platform, () => status)).close();
    await socket.close();
  });

  test.runIf(platform !== 'win32')(
    'is had by one of those that start at once over one left behind',
    async () => {
      for (let round = 0; round < 10; round += 1) {
        await leaveSocketBehind(directory);
        const starts = Array.from({ length: 5 }, () => openStatusSocket(directory, platform, () => status));
        const results = await Promise.allSettled(starts);
        const sockets = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
        const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
        expect(sockets).toHaveLength(1);
        expect(refusals.every((refusal) => refusal instanceof StateInUseError)).toBe(true);
        expect(await askStatus(directory, platform)).toEqual(status);
        expect(await readdir(directory)).toEqual(['agent.sock']);
        await sockets[0]?.close();
      }
    },
  );

  test.runIf(platform !== 'win32')('goes past the lock of a start that was killed', async () => {
    await leaveSocketBehind(directory);
    const lock = join(directory, 'agent.sock.lock');
    await writeFile(lock, '');
    await expect(openStatusSocket(directory, platform, () => status)).rejects.toThrow(StateInUseError);
    await utimes(lock, 1, 1);
    await (await openStatusSocket(directory, platform, () => status)).close();
  });

  test('works in a directory whose path is longer than a socket’s may be', async () => {
    const deep = join(directory, 'd'.repeat(60), 'e'.repeat(60));
    await mkdir(deep, { recursive: true });
    const socket = await openStatusSocket(deep, platform, () => status);
    expect(await askStatus(deep, platform)).toEqual(status);
    await expect(openStatusSocket(deep, platform, () => status)).rejects.toThrow(StateInUseError);
    await socket.close();
  });

  test.runIf(platform !== 'win32')('that cannot be made is told with what to do', async () => {
    const missing = join(directory, 'missing');
    await expect(openStatusSocket(missing, platform, () => status)).rejects.toThrow(
      /cannot be made.*--state/,
    );
  });

  test.runIf(platform !== 'win32').each([
    ['garbage', 'hello\n', /does not understand/],
    ['the status of another version', '{"pid":1}', /does not understand/],
    ['text without end', 'x'.repeat(2 * 1024 * 1024), /without end/],
  ])('that answers with %s is told in words', async (_what, text, words) => {
    const server = createServer((socket) =>
      socket
        .resume()
        .on('error', () => undefined)
        .end(text),
    );
    await new Promise<void>((resolve) => server.listen(join(directory, 'agent.sock'), resolve));
    await expect(askStatus(directory, platform)).rejects.toThrow(words);
    await new Promise((resolve) => server.close(resolve));
  });
});
