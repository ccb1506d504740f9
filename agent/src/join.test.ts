import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatJoinToken, systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { readAgentConfig } from './config/read-agent-config.js';
import { joinFabric, refuseService } from './join.js';
import { openStatusSocket } from './status/status-socket.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'join-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Nobody is to be asked: no control plane is there. @returns the code of what it came to */
const joinAt = (stateDirectory: string, { token = newToken(), force = false } = {}): Promise<unknown> =>
  joinFabric(
    readAgentConfig({ state: stateDirectory, name: 'armitage' }, {}),
    { server: 'https://127.0.0.1:1', token, force },
    { clock: systemClock(), random: Math.random, log: pino({ level: 'silent' }) },
  ).catch((error: unknown) => error);

const newToken = (): string =>
  formatJoinToken({
    ...{ id: 'abcdefgh', secret: randomBytes(32).toString('base64url') },
    certificateSha256: 'ab'.repeat(32),
  });

describe('a join that refuses leaves nothing behind', () => {
  it('for want of a token', async () => {
    expect(await joinAt(join(directory, 'state'), { token: 'none' })).toMatchObject({ code: 'bad_token' });
    expect(await readdir(directory)).toEqual([]);
  });

  it('where the host has joined before', async () => {
    const state = { serverUrl: 'https://motoko:8443', hostId: 'h', hostName: 'armitage' };
    const text = JSON.stringify({ version: 1, ...state, certificateSha256: 'ab'.repeat(32) });
    await writeFile(join(directory, 'agent.json'), text, { mode: 0o600 });
    expect(await joinAt(directory)).toMatchObject({ code: 'already_joined' });
    expect(await readdir(directory)).toEqual(['agent.json']);
  });

  test.skipIf(process.platform === 'win32')('where an agent runs, forced or not', async () => {
    const socket = await openStatusSocket(directory, process.platform, () => ({
      ...{ pid: 4_711, version: '0.1.0', startedAtMs: 0, server: 's', hostName: 'armitage', hostId: 'h' },
      link: { state: 'linked', linkedSinceMs: 0, problem: null, problemCode: null, clockAheadMs: null },
      ...{ cards: [], issues: [], replicas: [], owner: null, containerEngine: null, wake: null },
      ...{
        cardsAsked: true,
        leaving: null,
        upgrade: null,
        engines: [],
        waitingSamples: 0,
        droppedSamples: 0,
      },
    }));
    expect(await joinAt(directory, { force: true })).toMatchObject({ code: 'agent_running' });
    expect(await readdir(directory)).toEqual(['agent.sock']);
    await socket.close();
  });
});

describe('a join by hand where an install made a service', () => {
  const refuse = (isService: boolean, platform: NodeJS.Platform) => () =>
    refuseService({ isService, platform, stateDirectory: '/var/lib/ai-fabric-agent' });

  it.each(['linux', 'win32'] as const)('is refused with the way that works, on %s', (platform) => {
    expect(refuse(true, platform)).toThrow(
      expect.objectContaining({
        code: 'installed_service',
        message: expect.stringMatching(/token create.*--rejoin put behind its --pin/),
      }),
    );
  });

  it('is nobody’s business elsewhere', () => {
    expect(refuse(false, 'linux')).not.toThrow();
  });
});
