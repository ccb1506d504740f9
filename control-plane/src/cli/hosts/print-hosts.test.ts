import { DEFAULT_AGENT_POLICY, emptyGpuReading, emptyHostReading, tellPolicy } from '@ai-fabric/shared';
import { describe, expect, test } from 'vitest';
import { UNKNOWN_POWER } from '../../live/host-power.js';
import {
  describeEngine,
  describePolicy,
  type Host,
  hostRow,
  lastKnownMark,
  ownerText,
  presenceSince,
} from './print-hosts.js';

const NOW = 10_000_000;
const GIB = 1024 ** 3;
const card = { uuid: 'GPU-1', name: 'NVIDIA GeForce RTX 4070' };
const sample = {
  atMs: NOW - 3_600_000 * 3,
  host: { ...emptyHostReading, cpuRatio: 1 },
  gpus: {
    'GPU-1': {
      ...emptyGpuReading,
      utilisationRatio: 0.5,
      vramUsedBytes: 5 * GIB,
      vramTotalBytes: 8 * GIB,
    },
  },
  replicas: {},
};

function hostOf(presence: Host['presence']): Host {
  const told = { inventory: { gpus: [card] }, sample, lastSeenMs: sample.atMs, issues: [] };
  return {
    name: 'armitage',
    presence,
    mayBeAway: false,
    draining: false,
    revokedAtMs: null,
    power: UNKNOWN_POWER,
    ...{ agentVersion: '0.1.0', newerAgent: presence === 'late' ? '0.2.0' : null, upgrade: null },
    ...told,
  } as never;
}

describe('what a host told', () => {
  test.each([
    ['online', 'online now 0.1.0 RTX 4070 5.0 GiB of 8.0 GiB 50 % 100 % -'],
    ['late', 'late 3 h 0.1.0 → 0.2.0 RTX 4070 5.0 GiB of 8.0 GiB 50 % 100 % -'],
    ['away', 'away 3 h 0.1.0 RTX 4070 - - - -'],
    ['unseen', 'unseen 3 h 0.1.0 RTX 4070 - - - -'],
  ] as const)('is no reading of now while it is away: %s', (presence, row) => {
    expect(hostRow(hostOf(presence), NOW).join(' ')).toBe(`armitage ${row}`);
  });

  test.each([
    ['online', ''],
    ['late', ''],
    ['away', ' (last known, 3 h ago)'],
  ] as const)('is marked with its age where it is shown all the same: %s', (presence, mark) => {
    expect(lastKnownMark(hostOf(presence), NOW)).toBe(mark);
  });
});

describe('the presence of a host', () => {
  test.each([
    [{}, 'online for 3 h'],
    [{ draining: true }, 'online for 3 h, draining'],
    [{ presence: 'away', mayBeAway: true }, 'away (normal) for 3 h'],
    [{ presence: 'away' }, 'away for 3 h'],
    [{ presence: 'away', mayBeAway: true, revokedAtMs: NOW, draining: true }, 'revoked, away for 3 h'],
    [{ presence: 'unseen' }, 'unseen for 3 h'],
  ] as const)('%j is told once: %s', (parts, told) => {
    const host = { ...hostOf('online'), presenceSinceMs: NOW - 3_600_000 * 3, ...parts };
    expect(presenceSince(host, NOW)).toBe(told);
  });
});

describe('whose the cards of a host are', () => {
  const owner: NonNullable<Host['owner']> = {
    ...{ state: 'serving', cause: null, detail: null, stateSeconds: 0, freedSeconds: null },
    ...{ foreignVramBytes: null, foreignUtilisationRatio: null, present: null, remoteSession: null },
    processes: [],
  };
  const ownerSinceMs = NOW - 720_000;

  test.each([
    [{}, 'cards serving for 12 min'],
    [
      { state: 'yielded', cause: 'foreign_use', detail: 'game.exe uses a card.', freedSeconds: 3.4 },
      'cards yielded for 12 min (foreign use: game.exe uses a card.), last freed 3.4 s after they were wanted',
    ],
    [
      { state: 'yielding', cause: 'operator', detail: 'An operator.' },
      'cards yielding for 12 min (operator: An operator.)',
    ],
    [{ detail: 'Others use a card.' }, 'cards serving for 12 min (Others use a card.)'],
  ] as const)('is told in words: %j', (more, told) => {
    expect(ownerText({ owner: { ...owner, ...more }, ownerSinceMs }, NOW)).toBe(told);
  });

  test('is not known of an agent that does not tell', () => {
    expect(ownerText({ owner: null, ownerSinceMs: null }, NOW)).toContain('nothing is known');
  });

  test('stands in the list while the host does not serve', () => {
    const yielded = { ...hostOf('online'), owner: { ...owner, state: 'yielded' as const } };
    expect(hostRow(yielded, NOW)[1]).toBe('online, yielded');
    expect(hostRow({ ...yielded, presence: 'away' }, NOW)[1]).toBe('away');
  });
});

describe('the policy of a host', () => {
  test('is told by the rules that matter most', () => {
    const usual = tellPolicy(DEFAULT_AGENT_POLICY);
    expect(describePolicy(usual)).toBe(
      'images vllm/vllm-openai; models *; power suspend, poweroff; upgrades confirm',
    );
    const { upgradeMode: _, ...older } = usual;
    const strict = { ...older, images: [], memoryLimitGigabytes: 24, requireDigest: true };
    expect(describePolicy(strict)).toBe(
      'images none; models *; containers of 24 GB at most; power suspend, poweroff; upgrades yes; requireDigest',
    );
  });
});

describe('the container engine of a host', () => {
  const docker = {
    reachable: true as const,
    flavour: 'docker',
    version: '28.1.1',
    rootless: false,
    desktop: false,
  };

  test.each([
    [docker, 'Docker 28.1.1, rootful, reachable'],
    [{ ...docker, desktop: true }, 'Docker Desktop 28.1.1, reachable'],
    [{ ...docker, flavour: 'podman', version: '4.3.1', rootless: true }, 'Podman 4.3.1, rootless, reachable'],
    [
      { reachable: false, code: 'sign_in_needed', detail: 'Nobody is signed in.' },
      'no engine reachable (sign_in_needed): Nobody is signed in.',
    ],
  ] as const)('is told in a line: %j', (engine, line) => {
    expect(describeEngine(engine)).toBe(line);
  });
});
