import { describe, expect, it } from 'vitest';
import type { RefusalCode, RouteDecision } from '../../router/route-types.js';
import { type AttemptFailureCode, attemptFailure } from './attempt-failure.js';
import { describeFailures, describeRefusal } from './describe-refusal.js';
import { ERROR_TABLE } from './error-table.js';

function refuse(code: RefusalCode, retryAfterSeconds = 9): Extract<RouteDecision, { kind: 'refuse' }> {
  return {
    kind: 'refuse',
    code,
    detail: `detail of ${code}`,
    retryAfterSeconds,
    considered: [
      { target: 'armitage-chat', verdict: 'host_away', costSeconds: null },
      { target: 'motoko-chat', verdict: 'full', costSeconds: null },
    ],
  };
}

const failures = (...codes: AttemptFailureCode[]) =>
  codes.map((code) => attemptFailure(code, 'SECRET DETAIL'));

const tried = (codes: Record<string, AttemptFailureCode>) =>
  Object.entries(codes).map(([target, code]) => ({ target, failure: attemptFailure(code, 'SECRET DETAIL') }));

describe('describeRefusal', () => {
  it.each<[RefusalCode, number, string, string | null]>([
    ['no_capacity', 503, 'no_capacity', null],
    ['host_away', 503, 'host_away', null],
    ['not_ready', 503, 'not_ready', null],
    ['all_failed', 503, 'all_failed', null],
    ['provider_key_missing', 503, 'provider_key_missing', null],
    ['local_only', 503, 'local_only', null],
    ['loading', 503, 'loading', null],
    ['rate_limited', 429, 'rate_limit_exceeded', null],
    ['provider_refuses', 502, 'upstream_misconfigured', null],
    ['lacks_capability', 400, 'lacks_capability', null],
    ['condition_unmet', 400, 'condition_unmet', null],
    ['wrong_task', 400, 'wrong_task', 'model'],
    ['cloud_not_allowed', 403, 'cloud_not_allowed', 'model'],
    ['context_too_long', 400, 'context_length_exceeded', null],
  ])('answers %s with %i %s', (code, status, told, param) => {
    const refusal = describeRefusal('chat-fast', refuse(code), []);
    expect(ERROR_TABLE[refusal.error.code].status).toBe(status);
    expect(refusal.error).toEqual({ code: told, message: `detail of ${code}`, param });
    expect(refusal.reason).toBe(`${code}; armitage-chat=host_away, motoko-chat=full`);
    expect(refusal.retryAfterSeconds).toBe(9);
  });

  it('sends no Retry-After where coming again does not help', () => {
    expect(describeRefusal('chat-fast', refuse('wrong_task', 0), []).retryAfterSeconds).toBeNull();
  });

  it('tells what became of the attempts, without what the upstream said', () => {
    const refusal = describeRefusal(
      'chat-fast',
      refuse('all_failed'),
      tried({ a: 'connect_refused', b: 'first_byte_timeout' }),
    );
    expect(refusal.error.code).toBe('upstream_timeout');
    expect(refusal.error.message).toBe(
      '"chat-fast" could not be answered after 2 attempts: no answer came in time.',
    );
    expect(refusal.retryAfterSeconds).toBe(9);
    expect(refusal.reason).toContain('armitage-chat=host_away');
  });

  it('says of what was tried how it failed', () => {
    const considered = ['a', 'b', 'c'].map((target) => ({
      ...{ target, verdict: 'already_tried' as const, costSeconds: null },
    }));
    const refusal = describeRefusal(
      'chat-fast',
      { ...refuse('all_failed'), considered },
      tried({ a: 'reset', b: 'redirected' }),
    );
    expect(refusal.reason).toBe('all_failed; a=reset, b=redirected, c=already_tried');
  });

  it('keeps the reason short enough for a header', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({
      target: `deployment-${index}`,
      verdict: 'host_away' as const,
      costSeconds: null,
    }));
    const refusal = describeRefusal('chat-fast', { ...refuse('host_away'), considered: many }, []);
    expect(refusal.reason.length).toBeLessThan(410);
  });
});

describe('describeFailures', () => {
  it.each<[AttemptFailureCode, number, string]>([
    ['connect_refused', 502, 'upstream_unreachable'],
    ['connect_timeout', 502, 'upstream_unreachable'],
    ['name_not_found', 502, 'upstream_unreachable'],
    ['network_unreachable', 502, 'upstream_unreachable'],
    ['tls_failed', 502, 'upstream_unreachable'],
    ['reset', 502, 'upstream_unreachable'],
    ['truncated', 502, 'upstream_invalid_answer'],
    ['not_json', 502, 'upstream_invalid_answer'],
    ['redirected', 502, 'upstream_invalid_answer'],
    ['first_byte_timeout', 504, 'upstream_timeout'],
    ['total_timeout', 504, 'upstream_timeout'],
    ['unauthorized', 502, 'upstream_misconfigured'],
    ['model_unknown_there', 502, 'upstream_misconfigured'],
    ['status_500', 502, 'upstream_error'],
    ['status_502', 502, 'upstream_error'],
    ['provider_key_missing', 503, 'provider_key_missing'],
  ])('answers %s with %i %s', (code, status, told) => {
    const { error } = describeFailures('chat-fast', failures(code), null);
    expect(error.code).toBe(told);
    expect(ERROR_TABLE[error.code].status).toBe(status);
    expect(error.message).not.toContain('SECRET');
  });

  it('calls a fleet that is full by its name, and passes on when to come again', () => {
    const busy = [attemptFailure('status_503', '', 4)];
    expect(describeFailures('chat-fast', busy, null)).toMatchObject({
      error: { code: 'no_capacity' },
      retryAfterSeconds: 4,
    });
    expect(describeFailures('chat-fast', failures('status_503'), null).retryAfterSeconds).toBe(1);
  });

  it("passes a provider's rate limit on", () => {
    const limited = [attemptFailure('status_503', ''), attemptFailure('status_429', '', 20)];
    expect(describeFailures('openai/strong', limited, 3)).toMatchObject({
      error: { code: 'rate_limit_exceeded' },
      retryAfterSeconds: 20,
    });
  });

  it('tells of a failure rather than of the full ones around it', () => {
    expect(describeFailures('a', failures('reset', 'status_503'), null).error.code).toBe(
      'upstream_unreachable',
    );
  });
});
