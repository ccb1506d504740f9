import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { PrivateFiles } from '../../identity/private-files.js';
import { ReplicaMemory } from './replica-memory.js';

const log = pino({ level: 'silent' });

function disk(): PrivateFiles & { text: string | null; writes: number; full: boolean } {
  const files = {
    text: null as string | null,
    writes: 0,
    full: false,
    prepare: () => Promise.resolve(),
    read: () => Promise.resolve(files.text),
    write: (_path: string, text: string) => {
      if (files.full) return Promise.reject(new Error('ENOSPC'));
      files.writes += 1;
      files.text = text;
      return Promise.resolve();
    },
  };
  return files;
}

describe('what an agent remembers of its replicas', () => {
  test('is there again after a restart, the key above all', async () => {
    const files = disk();
    const memory = await ReplicaMemory.open('/state', files, log);
    const { key } = memory.replica('qwen');
    expect(key.length).toBeGreaterThanOrEqual(32);
    expect(memory.replica('llama').key).not.toBe(key);
    memory.update('qwen', { adoptedId: 'abc', restartsDone: 3, port: 8_000, cards: ['GPU-1'] });
    memory.addPhaseTime('qwen/qwen', 'loading', 48.04);
    memory.learnFootprint('GPU-1', 'qwen/qwen 0a', 5e9);
    await memory.flush();
    const again = await ReplicaMemory.open('/state', files, log);
    expect(again.replica('qwen')).toMatchObject({ key, adoptedId: 'abc', restartsDone: 3, port: 8_000 });
    expect(again.usualTime('qwen/qwen', 'loading')).toEqual({ p50: 48, p95: 48 });
    expect(again.footprint('GPU-1', 'qwen/qwen 0a')).toBe(5e9);
    again.forget('qwen');
    expect(again.replica('qwen').key).not.toBe(key);
  });

  test('is written once for many changes', async () => {
    const files = disk();
    const memory = await ReplicaMemory.open('/state', files, log);
    for (let port = 1; port <= 100; port += 1) memory.update('qwen', { port });
    await memory.flush();
    expect(files.writes).toBe(1);
  });

  test('stays within what a private file may hold', async () => {
    const files = disk();
    const memory = await ReplicaMemory.open('/state', files, log);
    for (let at = 0; at < 64; at += 1) {
      memory.update(`deployment-${at}`, { adoptedId: 'a'.repeat(64), cards: [`GPU-${'b'.repeat(36)}`] });
    }
    for (let at = 0; at < 200; at += 1) {
      for (let run = 0; run < 40; run += 1) {
        for (const phase of ['pulling', 'creating', 'starting', 'loading', 'warming'] as const) {
          memory.addPhaseTime(`organisation/model-${at}`, phase, 1_234.5);
        }
      }
      memory.learnFootprint(`GPU-${'b'.repeat(36)}`, `organisation/model-${at} ${'d'.repeat(16)}`, 12e9);
      memory.learnWeights(`organisation/model-${at}`, 'c'.repeat(40), { complete: true, weightBytes: 5e9 });
    }
    await memory.flush();
    expect(files.text?.length).toBeLessThan(64 * 1024);
    expect(memory.usualTime('organisation/model-199', 'loading')).toEqual({ p50: 1_234.5, p95: 1_234.5 });
    expect(memory.usualTime('organisation/model-0', 'loading')).toBeNull();
  });

  test('holds what is known of weights until their files change, and their distrust as long', async () => {
    const memory = await ReplicaMemory.open('/state', disk(), log);
    expect(memory.weights('a/b', null)).toBeNull();
    memory.learnWeights('a/b', null, { complete: true, weightBytes: 7 });
    memory.learnWeights('a/b', 'main', { complete: false, weightBytes: null });
    memory.learnWeights('a/bc', null, { complete: true, weightBytes: 8 });
    expect(memory.weights('a/b', null)).toEqual({ complete: true, weightBytes: 7 });
    memory.distrustWeights('a/b', null);
    memory.learnWeights('a/b', null, { complete: true, weightBytes: 7 });
    expect(memory.weights('a/b', null)).toEqual({ complete: false, weightBytes: 7 });
    memory.forgetWeights('a/b');
    expect([memory.weights('a/b', null), memory.weights('a/b', 'main')]).toEqual([null, null]);
    expect(memory.weights('a/bc', null)).toMatchObject({ complete: true });
  });

  test('of an earlier agent is read, with what that one did not know left out', async () => {
    const files = disk();
    const key = 'k'.repeat(43);
    const replica = {
      key,
      adoptedId: null,
      restartsDone: 1,
      rung: { baseHash: 'b', count: 1 },
      cards: [],
      port: null,
    };
    const footprints = { 'GPU-1 qwen/qwen': 7e9 };
    files.text = JSON.stringify({ version: 1, replicas: { qwen: replica }, phaseTimes: {}, footprints });
    const memory = await ReplicaMemory.open('/state', files, log);
    // With which settings that was nobody knows: it holds for none, and for the model where nothing better is known.
    expect(memory.footprint('GPU-1', 'qwen/qwen 0a')).toBeNull();
    expect(memory.footprintOfModel('GPU-1', 'qwen/qwen')).toBe(7e9);
    memory.learnFootprint('GPU-1', 'qwen/qwen 0a', 4e9);
    expect(memory.footprintOfModel('GPU-1', 'qwen/qwen')).toBe(4e9);
    expect(memory.footprintOfModel('GPU-1', 'qwen/qw')).toBeNull();
    await memory.flush();
    expect(files.text).toContain('"GPU-1 qwen/qwen":7000000000');
    expect(memory.replica('qwen')).toMatchObject({ key, rung: { count: 1, card: null } });
    expect(memory.weights('a/b', null)).toBeNull();
  });

  test('is kept in mind while the disk is full, and written when it is not', async () => {
    const files = disk();
    const memory = await ReplicaMemory.open('/state', files, log);
    files.full = true;
    const { key } = memory.replica('qwen');
    await expect(memory.flush()).rejects.toThrow('ENOSPC');
    files.full = false;
    await memory.flush();
    expect(files.text).toContain(key);
  });

  test('that is damaged is said, and not replaced', async () => {
    const files = disk();
    files.text = '{"version":1,"replicas":{"qwen":{"key":""}}}';
    await expect(ReplicaMemory.open('/state', files, log)).rejects.toThrow(/replicas\.json is damaged.*Fix:/);
    expect(files.writes).toBe(0);
  });
});
