import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, errorFields, gatewayError, renderEnvelope, renderErrorEvent } from './error-table.js';

describe('the errors of the gateway', () => {
  it("have OpenAI's envelope, with all four fields", () => {
    const error = gatewayError('model_not_found', 'no "x"', 'model');
    expect(JSON.parse(renderEnvelope(errorFields(error)))).toEqual({
      error: { message: 'no "x"', type: 'invalid_request_error', param: 'model', code: 'model_not_found' },
    });
  });

  it('are one event inside a stream, whatever the message holds', () => {
    const event = renderErrorEvent(gatewayError('upstream_interrupted', 'line\n\ndata: [DONE]\n\n'));
    expect(event.startsWith('data: {"error":')).toBe(true);
    expect(event.indexOf('\n\n')).toBe(event.length - 2);
  });

  it('blame the client with 4xx alone', () => {
    for (const { status, type } of Object.values(ERROR_TABLE)) {
      expect(status >= 500).toBe(type === 'server_error');
    }
  });
});
