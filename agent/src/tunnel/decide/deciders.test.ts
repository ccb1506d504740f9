import { AGENT_AUTHORITY, engineEndpoints, MAX_TUNNEL_STREAMS, type TunnelRefusal } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TunnelFailure } from '../tunnel-failure.js';
import { decideTunnel, type TunnelEvent, type TunnelState } from './decide-tunnel.js';
import { judgeTunnelRequest } from './judge-tunnel-request.js';
import { fromEngineHeaders, toEngineHeaders } from './map-headers.js';
import { planTunnelRetryMs, tunnelWaitsForOperator } from './plan-tunnel-retry.js';

const lost: TunnelFailure = { code: 'lost', detail: 'it broke' };
const at = { nowMs: 0, jitter: 0.5 };

describe('what may be asked through the tunnel', () => {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', ''];
  const cases = [...engineEndpoints].flatMap(([path, allowed]) =>
    methods.map((method) => ({ path, method, allowed: method === allowed })),
  );
  it.each(cases)('$method $path: $allowed', ({ path, method, allowed }) => {
    const verdict = judgeTunnelRequest({ authority: 'chat', method, path }, 1);
    expect(verdict.kind).toBe(allowed ? 'engine' : 'refuse');
    if (!allowed) expect(verdict).toMatchObject({ code: 'method_not_allowed' });
  });

  const spellings = [...engineEndpoints].flatMap(([path, method]) =>
    [
      `${path}/`,
      `/${path}`,
      `${path}?`,
      `${path}?a=b`,
      `${path}#x`,
      `${path}%00`,
      `${path}\\`,
      `${path};a`,
      `.${path}`,
      `/x/..${path}`,
      path.toUpperCase(),
      path.replace('/v1', '/V1'),
      path.replace('/v1/', '/v1//'),
      path.replace('v1', '%76%31'),
      path.replace('/v1', ''),
      `http://chat${path}`,
    ].map((spelling) => ({ spelling, method })),
  );
  it.each(spellings)('$spelling is another path', ({ spelling, method }) => {
    expect(judgeTunnelRequest({ authority: 'chat', method, path: spelling }, 1)).toMatchObject({
      kind: 'refuse',
      code: 'path_not_allowed',
    });
  });

  it.each([
    '/sleep',
    '/wake_up',
    '/is_sleeping',
    '/collective_rpc',
    '/reset_prefix_cache',
    '/server_info',
    '/invocations',
    '/pause',
    '/resume',
    '/tokenize',
    '/detokenize',
    '/metrics',
    '/health',
    '/load',
    '/ping',
    '/version',
    '/docs',
    '/openapi.json',
    '/v1/load_lora_adapter',
    '/v1/unload_lora_adapter',
    '/v2/rerank',
    '/inference/v1/generate',
    '/',
    '*',
    '',
  ])('%s of an engine is reached by nobody', (path) => {
    for (const method of methods) {
      expect(judgeTunnelRequest({ authority: 'chat', method, path }, 1).kind).toBe('refuse');
    }
  });

  it('is only ever a path of the list, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.string(), (path, method, authority) => {
        const verdict = judgeTunnelRequest({ path, method, authority }, 1);
        if (verdict.kind === 'engine') expect(engineEndpoints.get(verdict.path)).toBe(verdict.method);
      }),
    );
  });

  it.each([
    [MAX_TUNNEL_STREAMS, 'engine'],
    [MAX_TUNNEL_STREAMS + 1, 'refuse'],
  ])('with %i streams open: %s', (open, kind) => {
    const head = { authority: 'chat', method: 'POST', path: '/v1/completions' };
    expect(judgeTunnelRequest(head, open).kind).toBe(kind);
  });
});

describe('a path of the agent itself', () => {
  const judge = (path: string) => judgeTunnelRequest({ authority: AGENT_AUTHORITY, method: 'GET', path }, 1);

  it.each([
    ['/agent/v1/logs/chat', ['logs', 'chat'], ''],
    ['/agent/v1/logs/chat?follow=1&sinceMs=5', ['logs', 'chat'], 'follow=1&sinceMs=5'],
    ['/agent/v1/models', ['models'], ''],
    ['/agent/v1/models/org%2Fname', ['models', 'org/name'], ''],
    ['/agent/v1/models/org/name', ['models', 'org', 'name'], ''],
  ])('%s is read', (path, segments, query) => {
    expect(judge(path)).toEqual({ kind: 'agent', segments, query });
  });

  it.each([
    '/agent/v1/',
    '/agent/v1',
    '/agent/v2/logs',
    '/agent/v1//logs',
    '/agent/v1/logs/',
    '/agent/v1/logs/.',
    '/agent/v1/logs/../models',
    '/agent/v1/logs/%2e%2e',
    '/agent/v1/logs/%2E',
    '/agent/v1/logs/%ff',
    '/agent/v1/logs/%',
    '/agent/v1/logs/a b',
    '/agent/v1/logs/a\\b',
    '/agent/v1/logs/a\u0000',
    '/agent/v1/logs/a?b=c d',
    '/v1/models',
  ])('%j is none', (path) => {
    expect(judge(path)).toMatchObject({ kind: 'refuse', code: 'path_not_allowed' });
  });
});

describe('the head of a request to an engine', () => {
  const HOP_BY_HOP = ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'];
  const CREDENTIALS = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'api-key'];

  it.each([...HOP_BY_HOP, ...CREDENTIALS, 'host', 'x-forwarded-for', 'forwarded', ':path', 'expect'])(
    'has no %s of the request',
    (name) => {
      expect(toEngineHeaders({ [name]: 'x', accept: '*/*' }, null, true)).toEqual({ accept: '*/*' });
    },
  );

  it.each(['accept', 'content-type', 'user-agent', 'x-request-id', 'traceparent', 'tracestate'])(
    'has its %s',
    (name) => {
      expect(toEngineHeaders({ [name]: 'x' }, null, false)).toEqual({ [name]: 'x' });
    },
  );

  it.each(['1, 2', '-1', '+1', '0x10', '1e3', ' 1', '', '1'.repeat(16)])(
    'with the length %j is refused',
    (length) => {
      expect(toEngineHeaders({ 'content-length': length }, null, true)).toBeNull();
    },
  );

  it.each(['a\r\nb: c', 'a\nb', 'a\rb', 'a\u0000', 'a\u007f', 'a\u2028'])(
    'with the value %j is refused',
    (value) => {
      expect(toEngineHeaders({ accept: value }, null, true)).toBeNull();
    },
  );

  it('is made of known names, has one key at the most, and can begin no second line', () => {
    const names = fc.oneof(
      fc.constantFrom(...HOP_BY_HOP, ...CREDENTIALS, 'accept', 'content-type', 'content-length'),
      fc.string({ unit: 'binary' }),
    );
    const values = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string()));
    const heads = fc.dictionary(names, values);
    fc.assert(
      fc.property(heads, fc.option(fc.constant('key')), fc.boolean(), (head, key, hasBody) => {
        const mapped = toEngineHeaders(head, key, hasBody);
        if (mapped === null) return;
        const { authorization, ...rest } = mapped;
        expect(authorization).toBe(key === null ? undefined : 'Bearer key');
        for (const [name, value] of Object.entries(rest)) {
          expect([
            'accept',
            'content-type',
            'user-agent',
            'x-request-id',
            'traceparent',
            'tracestate',
            'content-length',
          ]).toContain(name);
          expect(value).not.toMatch(/[\r\n\0]/);
        }
      }),
    );
  });
});

describe("the head of an engine's answer", () => {
  it('keeps what is its own and leaves out what is of its connection', () => {
    const mapped = fromEngineHeaders({
      'content-type': 'text/event-stream',
      connection: 'keep-alive, X-Hop',
      'keep-alive': 'timeout=5',
      'transfer-encoding': 'chunked',
      'x-hop': '1',
      'x-fabric-tunnel-error': 'no_engine',
      'set-cookie': ['a=b'],
      'x-two': ['1', '2'],
    });
    expect(mapped).toEqual({ 'content-type': 'text/event-stream', 'x-two': ['1', '2'] });
  });

  it('never speaks for the agent, whatever comes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.string(), (head, own) => {
        const mapped = fromEngineHeaders({ ...head, 'x-fabric-tunnel-error': own });
        expect(mapped).not.toHaveProperty('x-fabric-tunnel-error');
        expect(Object.keys(mapped).some((name) => name.startsWith(':'))).toBe(false);
      }),
    );
  });
});

describe('the life of a tunnel', () => {
  function run(...events: TunnelEvent[]): { state: TunnelState; effects: string[] } {
    let state: TunnelState = { name: 'idle' };
    let effects: string[] = [];
    for (const event of events) {
      const decision = decideTunnel(state, event, at);
      if (!decision.ok) throw new Error(`${decision.refusal.state} refuses ${decision.refusal.event}`);
      state = decision.state;
      effects = decision.effects.map(({ type }) => type);
    }
    return { state, effects };
  }
  const ended = { type: 'ended', failure: lost } as const;

  it('begins with the link', () => {
    expect(run({ type: 'linked' })).toEqual({
      state: { name: 'dialling', attempt: 0, linked: true },
      effects: ['dial'],
    });
  });

  it('goes on, for as long as there is a link', () => {
    expect(run({ type: 'linked' }, { type: 'opened' }, ended).effects).toEqual(['announce_ended', 'arm']);
    expect(run({ type: 'linked' }, { type: 'opened' }, ended, { type: 'retry' }).effects).toEqual(['dial']);
    expect(run({ type: 'linked' }, { type: 'unlinked' }, ended).state).toEqual({ name: 'idle' });
    expect(run({ type: 'linked' }, ended, { type: 'unlinked' })).toEqual({
      state: { name: 'idle' },
      effects: ['disarm'],
    });
  });

  it('is not ended by a link that comes and goes', () => {
    const { state } = run({ type: 'linked' }, { type: 'opened' }, { type: 'unlinked' }, { type: 'linked' });
    expect(state).toMatchObject({ name: 'open', linked: true });
  });

  it('dials at once when the link is back, however long it was to wait', () => {
    expect(run({ type: 'linked' }, ended, { type: 'linked' }).effects).toEqual(['disarm', 'dial']);
  });

  it.each<TunnelEvent[]>([
    [],
    [{ type: 'linked' }],
    [{ type: 'linked' }, { type: 'opened' }],
    [{ type: 'linked' }, ended],
  ])('ends when it is stopped, and hears of nothing afterwards (%#)', (...events) => {
    const stopped = run(...events.filter(Boolean), { type: 'stop' });
    expect(stopped).toEqual({ state: { name: 'stopped' }, effects: ['disarm', 'cut'] });
    for (const type of ['linked', 'unlinked', 'opened', 'retry', 'slept', 'stop'] as const) {
      expect(decideTunnel(stopped.state, { type }, at).ok).toBe(false);
    }
  });

  it('is cut where the machine slept, and dialled anew when that is seen', () => {
    const slept = run({ type: 'linked' }, { type: 'opened' }, { type: 'slept' });
    expect(slept.effects.at(-1)).toBe('cut');
    expect(run({ type: 'linked' }, { type: 'opened' }, { type: 'slept' }, ended).state.name).toBe('waiting');
    expect(decideTunnel({ name: 'idle' }, { type: 'slept' }, at).ok).toBe(false);
  });

  it('waits longer after each dial that came to nothing, and begins anew after a tunnel that held', () => {
    let state: TunnelState = { name: 'dialling', attempt: 3, linked: true };
    const failed = decideTunnel(state, ended, { nowMs: 0, jitter: 1 });
    expect(failed).toMatchObject({ state: { name: 'waiting', attempt: 4 } });
    state = { name: 'open', attempt: 3, linked: true, sinceMs: 0 };
    expect(decideTunnel(state, ended, { nowMs: 9_999, jitter: 1 })).toMatchObject({ state: { attempt: 4 } });
    expect(decideTunnel(state, ended, { nowMs: 10_000, jitter: 1 })).toMatchObject({ state: { attempt: 1 } });
  });

  it('has at most one dial, one session or one timer, whatever happens', () => {
    const events = fc.constantFrom<TunnelEvent>(
      { type: 'linked' },
      { type: 'unlinked' },
      { type: 'opened' },
      ended,
      { type: 'retry' },
      { type: 'slept' },
      { type: 'stop' },
    );
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (all) => {
        let state: TunnelState = { name: 'idle' };
        let armed = 0;
        let dials = 0;
        for (const event of all) {
          if (event.type === 'retry' && armed === 0) continue;
          if (event.type === 'ended' && dials === 0) continue;
          const decision = decideTunnel(state, event, at);
          if (event.type === 'retry') armed -= 1;
          if (event.type === 'ended') dials -= 1;
          if (!decision.ok) continue;
          state = decision.state;
          for (const { type } of decision.effects) {
            if (type === 'arm') armed += 1;
            if (type === 'disarm') armed = 0;
            if (type === 'dial') dials += 1;
            if (type === 'cut') dials = 0;
          }
          expect(armed + dials).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('the wait before the next dial', () => {
  const refused = (reason: TunnelRefusal): TunnelFailure => ({ code: 'refused', reason, detail: '' });

  it.each([
    [refused('not_linked'), false],
    [refused('unavailable'), false],
    [refused('protocol_error'), false],
    [refused('proof_failed'), true],
    [refused('unknown_host'), true],
    [refused('revoked'), true],
    [refused('machine_mismatch'), true],
    [lost, false],
    [{ code: 'unreachable', detail: '' } as const, false],
    [{ code: 'pin_mismatch', detail: '' } as const, true],
    [{ code: 'not_a_control_plane', detail: '' } as const, true],
  ])('after %j is for an operator: %s', (failure, operator) => {
    expect(tunnelWaitsForOperator(failure)).toBe(operator);
    for (const attempt of [0, 1, 5, 30]) {
      const ms = planTunnelRetryMs(failure, attempt, 0.99);
      if (operator) expect(ms).toBeGreaterThanOrEqual(54_000);
      else expect(ms).toBeLessThanOrEqual(5_000);
    }
  });
});
