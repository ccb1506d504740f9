import { describeReplica, type ReplicaPhase } from '@ai-fabric/shared';
import { describe, expect, test } from 'vitest';
import { describeProgress, type Observed } from './describe-progress.js';
import { judgeWait, type WaitFacts } from './judge-wait.js';

type Status = Partial<Observed['status']>;

function observed(phase: ReplicaPhase, more: Status = {}): Observed {
  const { directKey: _, ...status } = describeReplica({ deployment: 'qwen', phase, ...more });
  return { status, phaseSinceMs: 1_000, reading: null, readingAtMs: null };
}

function facts(phase: ReplicaPhase, more: Partial<WaitFacts> = {}): WaitFacts {
  const base = { name: 'qwen', engine: 'vllm', wish: 'running', hostPresence: 'online' } as const;
  return { ...base, observed: observed(phase), ...more };
}

describe('a wait', () => {
  test.each([
    ['ready', 'ready', 'running'],
    ['absent', 'stopped', 'stopped'],
    ['parked', 'parked', 'parked'],
    // Parked by stopping it, where the engine cannot let go of the card otherwise.
    ['absent', 'parked', 'parked'],
  ] as const)('%s is %s', (phase, goal, wish) => {
    expect(judgeWait(facts(phase, { wish }), goal)).toEqual({ kind: 'reached' });
  });

  test.each([
    'pulling',
    'creating',
    'starting',
    'loading',
    'warming',
    'draining',
    'failed',
    'crash_looping',
  ] as const)('goes on while it is %s: the agent goes on too', (phase) => {
    expect(judgeWait(facts(phase), 'ready')).toEqual({ kind: 'waiting' });
  });

  test('does not believe what a host told before it went away', () => {
    expect(judgeWait(facts('ready', { hostPresence: 'away' }), 'ready')).toEqual({ kind: 'waiting' });
    expect(judgeWait(facts('ready', { observed: null }), 'ready')).toEqual({ kind: 'waiting' });
  });

  test('ends at once for what is not wished, with the command that wishes it', () => {
    expect(judgeWait(facts('absent', { wish: 'stopped' }), 'ready')).toEqual({
      kind: 'hopeless',
      reason: 'qwen is declared to be stopped, so it does not become ready',
      fix: 'ai-fabric deployments start qwen',
    });
    expect(judgeWait(facts('ready'), 'parked')).toMatchObject({ fix: 'ai-fabric deployments park qwen' });
  });

  test('of an external engine is for ready alone', () => {
    const external = { engine: 'external', wish: null } as const;
    expect(judgeWait(facts('ready', external), 'ready')).toEqual({ kind: 'reached' });
    expect(judgeWait(facts('absent', external), 'stopped')).toMatchObject({ kind: 'hopeless' });
  });
});

describe('progress in words', () => {
  const nowMs = 32_000;

  test('tells how long a phase usually takes, and how long it takes by now', () => {
    const loading = observed('loading', { usualPhaseSeconds: { p50: 48, p95: 80 } });
    expect(describeProgress(loading, nowMs)).toBe('loading, usually 48 s, 31 s so far');
  });

  test('tells bytes where the engine knows them, and its words where it does not', () => {
    const pulling = { doneBytes: 3.1 * 1024 ** 3, totalBytes: 9.8 * 1024 ** 3, text: 'layer 4 of 11' };
    const line = (progress: typeof pulling | { doneBytes: null; totalBytes: null; text: string }) =>
      describeProgress(observed('pulling', { progress }), nowMs);
    expect(line(pulling)).toBe('pulling, 3.1 of 9.8 GiB, 31 s so far');
    expect(line({ ...pulling, doneBytes: 1024 ** 2, totalBytes: 4 * 1024 ** 2 })).toBe(
      'pulling, 1.0 of 4.0 MiB, 31 s so far',
    );
    expect(line({ doneBytes: null, totalBytes: null, text: 'layer 4 of 11' })).toBe(
      'pulling, layer 4 of 11, 31 s so far',
    );
  });

  test('tells bytes without a sum while the engine still finds out', () => {
    const progress = { doneBytes: 5 * 1024 ** 2, totalBytes: null, text: '' };
    expect(describeProgress(observed('pulling', { progress }), nowMs)).toBe(
      'pulling, 5.0 MiB so far, 31 s so far',
    );
  });

  test('tells why of what stands', () => {
    expect(describeProgress(observed('failed', { detail: 'no room on the card' }), nowMs)).toBe(
      'failed, no room on the card',
    );
    expect(describeProgress(observed('ready'), nowMs)).toBe('ready');
    expect(describeProgress(null, nowMs)).toBe('not reported yet');
  });
});
