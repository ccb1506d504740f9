import { describe, expect, it } from 'vitest';
import { engineHeaders, providerHeaders } from './upstream-headers.js';

const json = { stream: false, formType: null, spokenHeaders: [] };
const form = { ...json, formType: 'multipart/form-data; boundary=b' };
const message = { ...json, stream: true, spokenHeaders: ['anthropic-version', '2023-06-01'] };
const untraced = { traceparent: undefined, tracestate: undefined };

function asObject(headers: readonly string[]): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let at = 0; at < headers.length; at += 2) pairs.push([headers[at] ?? '', headers[at + 1] ?? '']);
  return Object.fromEntries(pairs);
}

describe('the headers of a request', () => {
  it('to an engine carry the trace, and nothing of an API that wants more', () => {
    const trace = { traceparent: '00-1-2-01', tracestate: 'a=b' };
    expect(asObject(engineHeaders(message, trace))).toEqual({
      'content-type': 'application/json',
      accept: 'text/event-stream, application/json',
      'user-agent': 'ai-fabric',
      ...trace,
    });
  });

  it('keep the boundary of a form, which may be answered with text', () => {
    expect(asObject(engineHeaders(form, untraced))).toMatchObject({
      'content-type': 'multipart/form-data; boundary=b',
      accept: '*/*',
    });
  });

  it('to a provider carry its key where its API has it', () => {
    expect(asObject(providerHeaders(json, 'sk', 'authorization'))).toMatchObject({
      authorization: 'Bearer sk',
    });
    const headers = asObject(providerHeaders(message, 'sk', 'x-api-key'));
    expect(headers).toMatchObject({ 'x-api-key': 'sk', 'anthropic-version': '2023-06-01' });
    expect(headers).not.toHaveProperty('authorization');
    expect(asObject(providerHeaders(json, null, 'authorization'))).not.toHaveProperty('authorization');
  });
});
