import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { limitBody } from './limit-body.js';
import { ApiError } from './problem.js';

function answerTo(headers: Record<string, string>): Promise<string> {
  const app = new Hono().use('*', limitBody(10)).delete('/', (c) => c.text('done'));
  app.onError((error, c) =>
    c.text(error instanceof ApiError ? `${error.code}: ${error.message}` : 'internal'),
  );
  return Promise.resolve(app.request('/', { method: 'DELETE', headers })).then((answer) => answer.text());
}

describe('limitBody', () => {
  test('a call that says nothing of a body passes', async () => {
    expect(await answerTo({})).toBe('done');
  });

  test('a body within the limit passes, one above it is refused with the limit', async () => {
    expect(await answerTo({ 'content-length': '10' })).toBe('done');
    expect(await answerTo({ 'content-length': '11' })).toBe('too_large: the body is over 10 bytes');
  });

  test('a body that comes without a length is refused', async () => {
    expect(await answerTo({ 'transfer-encoding': 'chunked' })).toBe(
      'length_required: the body came without a length',
    );
  });
});
