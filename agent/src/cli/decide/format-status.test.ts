import { describeReplica } from '@ai-fabric/shared';
import { describe, expect, test } from 'vitest';
import type { AgentStatus } from '../../status/agent-status.js';
import { describeCards, describeUpgrade, formatStatus } from './format-status.js';

const status: AgentStatus = {
  pid: 42,
  version: '0.1.0',
  startedAtMs: 0,
  server: 'https://motoko:8443',
  hostName: 'armitage',
  hostId: 'h1',
  link: { state: 'linked', linkedSinceMs: 60_000, clockAheadMs: 0, problem: null, problemCode: null },
  ...{ containerEngine: null, wake: null, cardsAsked: true, leaving: null, upgrade: null, engines: [] },
  cards: [{ uuid: 'GPU-1', name: 'NVIDIA GeForce RTX 4070' }],
  issues: [],
  replicas: [],
  owner: null,
  waitingSamples: 0,
  droppedSamples: 0,
};

test('an agent that is linked', () => {
  expect(formatStatus(status, 180_000)).toBe(
    [
      'armitage: the agent runs (process 42, version 0.1.0, for 3 min)',
      'link:     up for 2 min, to https://motoko:8443',
      'cards:    NVIDIA GeForce RTX 4070',
      'replicas: none',
      'issues:   none',
    ].join('\n'),
  );
});

test('a link that this host can mend is told with what mends it', () => {
  const link = {
    state: 'waiting',
    linkedSinceMs: null,
    problem: 'another pin',
    problemCode: 'pin_mismatch',
    clockAheadMs: null,
  } as const;
  expect(
    formatStatus({ ...status, link }, 0, 'Join anew.')
      .split('\n')
      .slice(1, 3),
  ).toEqual(['link:     down, to https://motoko:8443: another pin', '          → Join anew.']);
  expect(formatStatus(status, 0, 'Join anew.')).not.toContain('Join anew.');
});

test('an agent that may be upgraded says to what, and what is waited for', () => {
  const upgrade = {
    phase: 'offered',
    version: '0.2.0',
    detail: 'sudo ai-fabric-agent upgrade',
    manifestSha256: null,
  } as const;
  expect(formatStatus({ ...status, upgrade }, 0)).toContain(
    '\nupgrade:  to 0.2.0, offered: sudo ai-fabric-agent upgrade\n',
  );
  expect(describeUpgrade({ ...upgrade, phase: 'done', detail: null })).toBe('to 0.2.0, done');
});

describe('the owner', () => {
  const owner: NonNullable<AgentStatus['owner']> = {
    ...{ state: 'serving', cause: null, detail: null, stateSeconds: 300, freedSeconds: null },
    ...{ foreignVramBytes: 0, foreignUtilisationRatio: 0, present: null, remoteSession: null, processes: [] },
  };
  const line = (more: Partial<typeof owner>): string =>
    describeCards({ ...status, owner: { ...owner, ...more } });

  test('has lent the cards, or has them, and since when', () => {
    expect(line({})).toBe('owner:    the cards are the fabric’s, for 5 min');
    expect(line({ state: 'yielding', stateSeconds: 4 })).toBe('owner:    the cards are being freed, for 4 s');
    expect(line({ state: 'yielded', freedSeconds: 4.2, detail: 'game uses a card.' })).toBe(
      [
        'owner:    the cards are the owner’s, for 5 min, free 4.2 s after they were wanted',
        '          game uses a card.',
      ].join('\n'),
    );
    expect(line({ state: 'yielded' })).not.toContain('wanted');
  });

  test('is not known while the agent starts', () => {
    expect(describeCards(status)).toContain('ask again');
  });
});

test('an agent in trouble says what is wrong and what mends it', () => {
  const text = formatStatus(
    {
      ...status,
      link: {
        state: 'waiting',
        linkedSinceMs: null,
        clockAheadMs: null,
        problem: 'nothing listens there',
        problemCode: 'unreachable',
      },
      cards: [],
      replicas: [describeReplica({ deployment: 'qwen', phase: 'starting', detail: 'refuses connections' })],
      issues: [
        { code: 'gpu_lost', subject: 'GPU-1', severity: 'error', detail: 'It is gone.', fix: 'Reboot.' },
        { code: 'no_gpu', subject: 'host', severity: 'info', detail: 'No card.', fix: null },
      ],
      waitingSamples: 12,
      droppedSamples: 3,
    },
    90_000,
  );
  expect(text.split('\n').slice(1)).toEqual([
    'link:     down, to https://motoko:8443: nothing listens there',
    'cards:    none',
    'replicas:',
    '  qwen: starting (refuses connections)',
    'issues:',
    '  error: gpu_lost GPU-1: It is gone. Fix: Reboot.',
    '  info: no_gpu: No card.',
    'waiting:  12 samples for the link',
    'dropped:  3 samples since the agent started',
  ]);
});

test('a container that is kept is told with what differs and how far it is', () => {
  const text = formatStatus(
    {
      ...status,
      replicas: [
        describeReplica({
          deployment: 'qwen',
          phase: 'loading',
          progress: { doneBytes: null, totalBytes: null, text: 'loading weights' },
          usualPhaseSeconds: { p50: 48, p95: 60 },
          phaseSeconds: 31,
          container: { id: 'a'.repeat(64), image: 'vllm/vllm-openai:v0.11.0', startedAtMs: 1, adopted: true },
          drift: ['It has no label of the fabric.'],
          fit: {
            verdict: 'tight',
            neededBytes: 9,
            freeBytes: 8,
            detail: 'It would fit with contextTokens: 4096.',
          },
          port: 8_000,
        }),
      ],
    },
    90_000,
  );
  expect(text.split('\n').slice(3, -1)).toEqual([
    'replicas:',
    '  qwen: loading',
    '    adopted container aaaaaaaaaaaa of vllm/vllm-openai:v0.11.0',
    '    port 8000',
    '    loading weights, usually 48 s, 31 s so far',
    '    tight: It would fit with contextTokens: 4096.',
    '    drift: It has no label of the fabric.',
  ]);
});
