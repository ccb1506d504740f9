import { type Task, taskSchema } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readHealth, readModels, readProof, readVersion } from './read-engine-answer.js';

const answer = (body: unknown, status = 200) => ({
  status,
  text: typeof body === 'string' ? body : JSON.stringify(body),
});
const html = answer('<!doctype html><html><body>Welcome to nginx</body></html>');

describe('the list of models', () => {
  test('gives ids and lengths', () => {
    expect(
      readModels(
        answer({ data: [{ id: 'a', max_model_len: 4_096 }, { id: 'b' }, { id: 'c', max_model_len: null }] }),
      ),
    ).toEqual({
      models: [
        { id: 'a', maxModelLen: 4_096 },
        { id: 'b', maxModelLen: null },
        { id: 'c', maxModelLen: null },
      ],
    });
  });

  test('a nonsensical length is unknown, and the model is listed all the same', () => {
    expect(readModels(answer({ data: [{ id: 'a', max_model_len: 'many' }] }))).toEqual({
      models: [{ id: 'a', maxModelLen: null }],
    });
  });

  test.each([
    ['HTML', html, 'Welcome to nginx'],
    ['an empty body', answer(''), 'an empty body'],
    ['another JSON', answer({ models: [] }), 'answered 200'],
    ['a redirect', answer('', 302), 'a redirect, which is not followed'],
    ['a key that is missing', answer({ error: 'Unauthorized' }, 401), 'The engine wants a key'],
    ['an error', answer({ error: { message: 'out of memory', code: 500 } }, 500), 'out of memory'],
    [
      'an error of an older version',
      answer({ object: 'error', message: 'still loading' }, 503),
      'still loading',
    ],
  ])('%s is told in words', (_what, given, words) => {
    expect(readModels(given)).toMatchObject({ kind: 'odd', detail: expect.stringContaining(words) });
  });
});

describe('health', () => {
  test.each([
    [200, 'healthy'],
    [204, 'healthy'],
    [404, 'healthy'],
    [401, 'healthy'],
    [301, 'odd'],
    [500, 'odd'],
    [503, 'odd'],
  ])('HTTP %i is %s', (status, kind) => {
    expect(readHealth(answer('', status)).kind).toBe(kind);
  });
});

describe('the version', () => {
  test('is told where there is one', () => {
    expect(readVersion(answer({ version: '0.32.0' }))).toBe('0.32.0');
  });

  test.each([html, answer({ version: 3 }), answer({ version: '' }), answer('not found', 404)])(
    '%j has none',
    (given) => {
      expect(readVersion(given)).toBeNull();
    },
  );
});

describe('the proof', () => {
  const chat = (body: unknown, status = 200) =>
    readProof('chat', '/v1/chat/completions', answer(body, status));
  const embedding = (body: unknown, status = 200) =>
    readProof('embeddings', '/v1/embeddings', answer(body, status));

  test.each([
    ['a token', { choices: [{ message: { content: 'Y' } }], usage: { completion_tokens: 1 } }],
    [
      'a token of thought',
      { choices: [{ message: { content: null, reasoning_content: 'O' } }], usage: null },
    ],
    ['a completion', { choices: [{ text: ' a' }] }],
  ])('%s proves', (_what, body) => {
    expect(chat(body)).toEqual({ kind: 'proved' });
  });

  test.each([
    ['no choices', { choices: [] }],
    ['no token', { choices: [{}], usage: { completion_tokens: 0 } }],
    ['HTML', '<html></html>'],
    ['half a body', '{"choices":[{"mess'],
  ])('%s does not', (_what, body) => {
    expect(chat(body).kind).toBe('proof_failed');
  });

  test('an embedding of numbers proves; one of nothing does not', () => {
    expect(embedding({ data: [{ embedding: [0.1, -0.2] }] })).toEqual({ kind: 'proved' });
    expect(embedding({ data: [{ embedding: [null, null] }] }).kind).toBe('proof_failed');
    expect(embedding({ data: [{ embedding: [] }] }).kind).toBe('proof_failed');
    expect(embedding({ data: [] }).kind).toBe('proof_failed');
  });

  test.each<[Task, unknown, string]>([
    ['rerank', { results: [{ index: 0, relevance_score: 0.7 }] }, 'proved'],
    ['rerank', { results: [{ index: 0, relevance_score: null }] }, 'proof_failed'],
    ['rerank', { results: [] }, 'proof_failed'],
    ['transcription', { text: 'Thank you.' }, 'proved'],
    ['transcription', { text: '' }, 'proved'],
    ['transcription', {}, 'proof_failed'],
    ['transcription', '<html></html>', 'proof_failed'],
  ])('a %s is proven by its own kind of answer: %j is %s', (task, body, kind) => {
    expect(readProof(task, '/v1/x', answer(body)).kind).toBe(kind);
  });

  test.each([503, 429])('HTTP %i is a full engine, not a broken one', (status) => {
    expect(chat({ error: { message: 'queue is full' } }, status)).toMatchObject({
      kind: 'full',
      detail: expect.stringContaining('queue is full'),
    });
  });

  test.each([400, 404, 500, 302])('HTTP %i is a failure with the engine’s own words', (status) => {
    expect(chat({ error: { message: 'CUDA error' } }, status).kind).toBe('proof_failed');
  });
});

test('whatever an engine sends is read without a throw, in words short enough to show', () => {
  const given = fc.record({
    status: fc.integer({ min: 100, max: 599 }),
    text: fc.oneof(fc.string({ maxLength: 3_000 }), fc.json()),
  });
  fc.assert(
    fc.property(given, fc.constantFrom(...taskSchema.options), (one, task) => {
      for (const read of [readModels(one), readHealth(one), readProof(task, '/v1/x', one)]) {
        if ('detail' in read) expect(read.detail.length).toBeLessThan(450);
      }
      expect(readVersion(one)?.length ?? 0).toBeLessThanOrEqual(80);
    }),
  );
});
