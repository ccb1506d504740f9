import { describe, expect, it } from 'vitest';
import type { SmokeAnswer, SmokeRequest } from '../smoke-result.js';
import { judgeSmoke } from './judge-smoke.js';

const asked = (more: Partial<SmokeRequest> = {}): SmokeRequest => ({
  kind: 'role',
  name: 'chat-deep',
  task: 'chat',
  stream: false,
  expectedDimensions: null,
  deployments: new Map([
    ['asleep', { mayBeAway: true }],
    ['steady', { mayBeAway: false }],
  ]),
  wakes: true,
  ...more,
});

const answered = (status: number, body: unknown, reason = 'least_cost'): SmokeAnswer => ({
  kind: 'answered',
  status,
  tookMs: 12,
  host: 'motoko',
  replica: 'steady',
  reason,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const refused = (code: string, reason: string): SmokeAnswer =>
  answered(503, { error: { code, message: `${code}!` } }, `${code}; ${reason}`);

const chat = (content: string | null, finish_reason = 'stop') => ({
  choices: [{ message: { content }, finish_reason }],
});
const events = (...data: readonly (object | string)[]) =>
  data.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`).join('');
const delta = (content: string) => ({ choices: [{ delta: { content } }] });
const vector = (length: number) => ({ data: [{ embedding: Array.from({ length }, () => 0.5) }] });

const outcome = (request: SmokeRequest, answer: SmokeAnswer, wake = false) => {
  const { outcome, code } = judgeSmoke(request, answer, wake);
  return `${outcome} ${code}`;
};

describe('a chat', () => {
  it.each<[string, SmokeAnswer, string]>([
    ['has text', answered(200, chat('Hello!')), 'ok ok'],
    ['thought with all of its tokens', answered(200, chat(null, 'length')), 'ok ok'],
    ['is empty', answered(200, chat('')), 'broken empty_answer'],
    ['is no JSON', answered(200, '<html>'), 'broken empty_answer'],
    ['never comes', { kind: 'failed', detail: 'timeout', tookMs: 60_000 }, 'broken no_answer'],
  ])('whose answer %s', (_, answer, expected) => {
    expect(outcome(asked(), answer)).toBe(expected);
  });

  it.each<[string, string, string]>([
    ['has text and an end', events(delta('Hel'), delta('lo'), '[DONE]'), 'ok ok'],
    ['has no end', events(delta('Hel')), 'broken stream_cut'],
    ['has no text', events({ choices: [{ delta: {} }] }, '[DONE]'), 'broken empty_answer'],
    ['ends with an error', events(delta('Hel'), { error: { message: 'gone' } }), 'broken stream_failed'],
    ['is empty', '', 'broken stream_cut'],
  ])('whose stream %s', (_, body, expected) => {
    expect(outcome(asked({ stream: true }), answered(200, body))).toBe(expected);
  });
});

describe('an embedding', () => {
  it.each<[string, number | null, unknown, string]>([
    ['has the declared length', 768, vector(768), 'ok ok'],
    ['has any length where none is declared', null, vector(5), 'ok ok'],
    ['is shorter than declared', 768, vector(384), 'broken wrong_dimensions'],
    ['is empty', 768, { data: [] }, 'broken empty_answer'],
    ['is base64, which was not asked for', 768, { data: [{ embedding: 'AAAA' }] }, 'broken empty_answer'],
  ])('that %s', (_, expectedDimensions, body, expected) => {
    const request = asked({ task: 'embeddings', expectedDimensions });
    expect(outcome(request, answered(200, body))).toBe(expected);
  });
});

describe('a refusal of one that was to wake who sleeps', () => {
  it.each([
    { code: 'waking', wakes: true, expected: 'broken waking' },
    { code: 'host_asleep', wakes: true, expected: 'broken host_asleep' },
    { code: 'host_asleep', wakes: false, expected: 'away host_away' },
    { code: 'host_away', wakes: true, expected: 'away host_away' },
  ])('with $code, of a role that wakes: $wakes', ({ code, wakes, expected }) => {
    const verdict = code === 'host_away' ? 'host_away' : 'host_asleep';
    expect(outcome(asked({ wakes }), refused(code, `asleep=${verdict}`), true)).toBe(expected);
  });
});

describe('a refusal', () => {
  it.each<[string, SmokeAnswer, string]>([
    ['while all that serves it may be away', refused('host_away', 'asleep=host_away'), 'away host_away'],
    ['while it sleeps', refused('host_asleep', 'asleep=host_asleep'), 'away host_away'],
    ['while it is being woken', refused('waking', 'asleep=host_asleep'), 'away host_away'],
    [
      'while a host sleeps that should not',
      refused('host_asleep', 'steady=host_asleep'),
      'broken host_asleep',
    ],
    ['while a host is away that should not be', refused('host_away', 'steady=host_away'), 'broken host_away'],
    [
      'while one may be away and another should not be',
      refused('host_away', 'asleep=host_away, steady=host_away'),
      'broken host_away',
    ],
    [
      'while it may be away and the cloud would answer',
      refused('host_away', 'asleep=host_away, openai/strong=local_only'),
      'skipped local_only',
    ],
    [
      'of a role that only the cloud serves',
      refused('local_only', 'openai/strong=local_only'),
      'skipped local_only',
    ],
    [
      'where the cloud would hide a dead engine',
      refused('not_ready', 'steady=not_ready, openai/cheap=local_only'),
      'broken not_ready',
    ],
    ['of a full replica', refused('no_capacity', 'steady=full'), 'skipped no_capacity'],
    ['of a draining host', refused('not_ready', 'steady=draining'), 'skipped not_ready'],
    ['of a tripped breaker', refused('not_ready', 'steady=breaker_open'), 'broken not_ready'],
    [
      'after an attempt that failed',
      refused('upstream_unreachable', 'steady=already_tried'),
      'broken upstream_unreachable',
    ],
    [
      'by a provider without a key',
      refused('provider_key_missing', 'openai/strong=provider_key_missing'),
      'broken provider_key_missing',
    ],
    ['whose reason was cut short', refused('host_away', 'asleep=host_away, st...'), 'away host_away'],
    ['that is a web page', answered(502, '<html>', ''), 'broken status_502'],
  ])('%s', (_, answer, expected) => {
    expect(outcome(asked(), answer)).toBe(expected);
  });
});
