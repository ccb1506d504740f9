import { describe, expect, it } from 'vitest';
import { judgeAnswer, readRetryAfter } from './judge-answer.js';

describe('judgeAnswer', () => {
  it.each([
    [200, 'application/json', 'json'],
    [200, 'Application/JSON; charset=utf-8', 'json'],
    [200, 'text/event-stream', 'events'],
    [200, 'text/event-stream; charset=utf-8', 'events'],
    [400, 'application/json', 'clientError'],
    [400, 'text/html', 'clientError'],
    [408, '', 'clientError'],
    [413, '', 'clientError'],
    [422, 'application/json', 'clientError'],
  ])('takes %i %s for %s', (status, type, kind) => {
    expect(judgeAnswer(status, type, '').kind).toBe(kind);
  });

  it.each([
    ['text/plain; charset=utf-8', true, 'text'],
    ['text/vtt', true, 'text'],
    ['application/x-subrip', true, 'text'],
    ['application/json', true, 'json'],
    ['text/html', true, 'failed'],
    ['text/plain', false, 'failed'],
  ])('takes %s where text may come: %s, for %s', (type, mayBeText, kind) => {
    expect(judgeAnswer(200, type, '', mayBeText).kind).toBe(kind);
  });

  it.each([
    [200, 'text/html', '', 'not_json'],
    [200, '', '', 'not_json'],
    [200, 'application/jsonlines', '', 'not_json'],
    [200, 'application/json', 'gzip', 'not_json'],
    [201, 'application/json', '', 'not_json'],
    [204, '', '', 'not_json'],
    [301, 'text/html', '', 'redirected'],
    [307, '', '', 'redirected'],
    [304, '', '', 'redirected'],
    [401, 'application/json', '', 'unauthorized'],
    [403, 'application/json', '', 'unauthorized'],
    [404, 'application/json', '', 'model_unknown_there'],
    [429, 'application/json', '', 'status_429'],
    [500, 'application/json', '', 'status_500'],
    [501, '', '', 'status_other'],
    [502, 'text/html', '', 'status_502'],
    [503, 'application/json', '', 'status_503'],
    [504, '', '', 'status_504'],
    [529, '', '', 'status_529'],
    [402, '', '', 'unpaid'],
    [599, '', '', 'status_other'],
  ])('takes %i %s %s for the failure %s', (status, type, encoding, code) => {
    expect(judgeAnswer(status, type, encoding)).toEqual({ kind: 'failed', code });
  });

  it('takes an answer that is not encoded by name', () => {
    expect(judgeAnswer(200, 'application/json', 'identity').kind).toBe('json');
  });
});

describe('readRetryAfter', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['20', 20],
    [' 0 ', 0],
    ['999999', 86_400],
    ['Thu, 01 Jan 2026 00:01:30 GMT', 90],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
    ['', null],
    ['soon', null],
    ['-5', null],
    ['1.5', null],
  ])('reads %j as %s seconds', (value, seconds) => {
    expect(readRetryAfter(value, nowMs)).toBe(seconds);
  });
});
