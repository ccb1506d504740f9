import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, errorFields, type GatewayErrorCode, gatewayError } from './error-table.js';
import { ANTHROPIC_ERRORS, OPENAI_ERRORS, RESPONSES_ERRORS, renderErrorEvent } from './render-error.js';

const error = gatewayError('model_not_found', 'no "x"', 'model');

describe('errors', () => {
  it.each([OPENAI_ERRORS, RESPONSES_ERRORS])("have OpenAI's envelope, with all four fields", (form) => {
    expect(JSON.parse(form.whole(errorFields(error), 404, 'req-1'))).toEqual({
      error: { message: 'no "x"', type: 'invalid_request_error', param: 'model', code: 'model_not_found' },
    });
  });

  it("have Anthropic's envelope in its API, with our code beside", () => {
    expect(JSON.parse(ANTHROPIC_ERRORS.whole(errorFields(error), 404, 'req-1'))).toEqual({
      type: 'error',
      error: { type: 'not_found_error', message: 'no "x"', code: 'model_not_found', param: 'model' },
      request_id: 'req-1',
    });
  });

  it.each<[GatewayErrorCode, string]>([
    ['invalid_json', 'invalid_request_error'],
    ['invalid_api_key', 'authentication_error'],
    ['cloud_not_allowed', 'permission_error'],
    ['request_too_large', 'request_too_large'],
    ['rate_limit_exceeded', 'rate_limit_error'],
    ['internal', 'api_error'],
    ['upstream_error', 'api_error'],
    ['no_capacity', 'overloaded_error'],
    ['upstream_timeout', 'timeout_error'],
  ])('call %s by the name that Anthropic has for it: %s', (code, type) => {
    const fields = errorFields(gatewayError(code, 'x'));
    const { error: told } = JSON.parse(ANTHROPIC_ERRORS.whole(fields, ERROR_TABLE[code].status, 'r'));
    expect(told.type).toBe(type);
  });

  it.each([
    ['chats', OPENAI_ERRORS, 'data: {"error":'],
    ['responses', RESPONSES_ERRORS, 'event: error\ndata: {"type":"error","code":"upstream_interrupted"'],
    ['messages', ANTHROPIC_ERRORS, 'event: error\ndata: {"type":"error","error":{"type":"api_error"'],
  ])('are one event in a stream of %s, whatever the message holds', (_, form, beginning) => {
    const broken = gatewayError('upstream_interrupted', 'line\n\ndata: [DONE]\n\n');
    const event = renderErrorEvent(form, broken, 'req-1', 7);
    expect(event.startsWith(beginning)).toBe(true);
    expect(event.indexOf('\n\n')).toBe(event.length - 2);
  });

  it('are numbered behind the events of a response', () => {
    const event = renderErrorEvent(RESPONSES_ERRORS, error, 'req-1', 7);
    expect(JSON.parse(event.split('data: ')[1] ?? '')).toMatchObject({
      sequence_number: 7,
      message: 'no "x"',
      error: { code: 'model_not_found' },
    });
  });
});
