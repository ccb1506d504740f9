import { describe, expect, test } from 'vitest';
import { adoptContainer, applyVerb, mergeEntry } from './edit-deployment.js';

const entry = { engine: 'vllm', host: 'armitage', wish: 'running', restartCount: 2, parkable: true };

describe('changes of an entry', () => {
  test('replace what they name, whole, and leave the rest', () => {
    const changed = mergeEntry({ ...entry, gpu: 'any' }, { gpu: 1, host: 'motoko' });
    expect(changed).toEqual({ ...entry, host: 'motoko', gpu: 1 });
  });

  test('take a field out with null, so that its default holds again', () => {
    expect(mergeEntry({ a: 1, b: 2 }, { b: null })).toEqual({ a: 1 });
  });

  test('to another preset or card take out what the one before said of its model, unless it is given', () => {
    const before = { ...entry, preset: 'chat-fast', model: 'a/b', quantization: 'awq', contextTokens: 4096 };
    const { model: _, quantization: __, contextTokens: ___, ...rest } = before;
    expect(mergeEntry(before, { preset: 'chat-deep' })).toEqual({ ...rest, preset: 'chat-deep' });
    expect(mergeEntry(before, { cardGigabytes: 12 })).toEqual({ ...rest, cardGigabytes: 12 });
    expect(mergeEntry(before, { preset: 'chat-deep', contextTokens: 8192 })).toEqual({
      ...rest,
      preset: 'chat-deep',
      contextTokens: 8192,
    });
    expect(mergeEntry(before, { preset: 'chat-fast' })).toEqual(before);
  });

  test('to another model take out its revision and quantisation', () => {
    const before = { ...entry, model: 'a/b', revision: 'v1', quantization: 'awq', contextTokens: 4096 };
    expect(mergeEntry(before, { model: 'c/d' })).toEqual({ ...entry, model: 'c/d', contextTokens: 4096 });
    expect(mergeEntry(before, { model: 'c/d', quantization: 'fp8' })).toMatchObject({ quantization: 'fp8' });
  });

  test('leave the entry that they are made from as it was', () => {
    mergeEntry(entry, { host: 'motoko' });
    expect(entry.host).toBe('armitage');
  });
});

describe('a verb', () => {
  test.each([
    ['stop', { wish: 'stopped', restartCount: 2 }],
    ['start', { wish: 'running', restartCount: 2 }],
    ['park', { wish: 'parked', restartCount: 2 }],
    ['unpark', { wish: 'running', restartCount: 2 }],
    ['restart', { wish: 'running', restartCount: 3 }],
  ] as const)('%s says what is wished', (verb, wanted) => {
    expect(applyVerb('qwen', entry, verb)).toMatchObject({ kind: 'edit', entry: wanted });
  });

  test('that is said twice changes nothing the second time, a restart excepted', () => {
    const once = applyVerb('qwen', entry, 'stop');
    if (once.kind !== 'edit') throw new Error(once.detail);
    expect(applyVerb('qwen', once.entry, 'stop')).toEqual(once);
    const restarted = applyVerb('qwen', once.entry, 'restart');
    expect(restarted).toMatchObject({ entry: { wish: 'running', restartCount: 3 } });
  });

  test('restarts one that was never restarted', () => {
    expect(applyVerb('qwen', { engine: 'vllm' }, 'restart')).toMatchObject({ entry: { restartCount: 1 } });
  });

  test.each(['stop', 'start', 'restart', 'park', 'unpark'] as const)(
    '%s is refused for an engine that somebody else runs',
    (verb) => {
      expect(applyVerb('qwen', { engine: 'external' }, verb)).toMatchObject({
        kind: 'refuse',
        code: 'not_managed',
        fix: expect.stringContaining(verb),
      });
    },
  );

  test('park is refused where the engine was not started for it, and says what to do instead', () => {
    const refused = applyVerb('qwen', { ...entry, parkable: false }, 'park');
    expect(refused).toMatchObject({
      kind: 'refuse',
      code: 'invalid',
      fix: expect.stringContaining('deployments stop qwen'),
    });
    expect(applyVerb('qwen', { ...entry, parkable: false, reach: 'direct' }, 'park')).toMatchObject({
      detail: expect.stringContaining('direct'),
    });
  });
});

describe('adopting a container', () => {
  test('names it, or lets it go', () => {
    const adopted = adoptContainer('qwen', entry, 'vllm-armitage');
    expect(adopted).toMatchObject({ kind: 'edit', entry: { adopt: 'vllm-armitage' } });
    if (adopted.kind !== 'edit') return;
    expect(adoptContainer('qwen', adopted.entry, null)).toEqual({ kind: 'edit', entry });
  });

  test('is refused for an external engine, with the way to it', () => {
    expect(adoptContainer('qwen', { engine: 'external' }, 'vllm-armitage')).toMatchObject({
      kind: 'refuse',
      fix: expect.stringContaining('engine: vllm'),
    });
  });
});
