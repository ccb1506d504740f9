import { createConnection } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from '../common/eventually.js';
import { startVllmSimulator, type VllmSimulator } from './start-vllm-simulator.js';

// Real sockets and processes on a machine that others keep busy: the conditions decide, not the time.
vi.setConfig({ testTimeout: 20_000 });

let simulator: VllmSimulator;

beforeEach(async () => {
  simulator = await startVllmSimulator({ model: 'qwen', name: 'armitage' });
});

afterEach(() => simulator.close());

function chat(stream = false, signal?: AbortSignal): Promise<Response> {
  return fetch(`${simulator.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'qwen', messages: [{ role: 'user', content: 'hello' }], stream }),
    redirect: 'manual',
    ...(signal ? { signal } : {}),
  });
}

/** The TCP segments of an answer, as they came. */
function segments(stream: boolean): Promise<Buffer[]> {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'hello' }], stream });
  return new Promise((resolve, reject) => {
    const socket = createConnection(simulator.port, '127.0.0.1');
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part)).on('error', reject);
    socket.on('close', () => resolve(parts));
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  });
}

it('answers 200 with a web page', async () => {
  await simulator.fault({ kind: 'html' });
  const response = await chat();
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html']);
  expect(await response.text()).toContain('<html>');
});

it('answers 502 with a proxy page, 503, 500 and a redirect', async () => {
  const status = async (fault: Parameters<VllmSimulator['fault']>[0]) => {
    await simulator.fault(fault);
    return (await chat()).status;
  };
  expect(await status({ kind: 'badGateway' })).toBe(502);
  expect(await status({ kind: 'status503' })).toBe(503);
  expect(await status({ kind: 'status500' })).toBe(500);
  expect(await status({ kind: 'redirect', location: 'http://127.0.0.1:1/' })).toBe(302);
});

it('hits only as many requests as it was told, and only the paths it was told', async () => {
  await simulator.fault({ kind: 'status503', times: 1 });
  expect((await fetch(`${simulator.url}/v1/models`)).status).toBe(200);
  expect((await chat()).status).toBe(503);
  expect((await chat()).status).toBe(200);
  await simulator.fault({ kind: 'html', paths: ['/v1/models'] });
  expect((await fetch(`${simulator.url}/v1/models`)).headers.get('content-type')).toBe('text/html');
  expect((await chat()).headers.get('content-type')).toBe('application/json');
});

it('takes a request and never answers it, until the client hangs up', async () => {
  await simulator.fault({ kind: 'never' });
  const stop = new AbortController();
  const request = chat(false, stop.signal).catch((error: Error) => error.name);
  await eventually('it is in flight', () => simulator.inFlight === 1);
  stop.abort();
  expect(await request).toBe('AbortError');
  await eventually('it is counted as aborted', () => simulator.aborted === 1 && simulator.inFlight === 0);
});

it('stops mid-stream after so many events, without [DONE], and that is no abort of the client', async () => {
  await simulator.fault({ kind: 'stopMidStream', afterChunks: 3 });
  const text = Buffer.concat(await segments(true)).toString();
  expect(text.match(/^data: /gm)).toHaveLength(3);
  expect(text).not.toContain('[DONE]');
  await eventually('the slot is free', () => simulator.inFlight === 0 && simulator.running === 0);
  expect(simulator.aborted).toBe(0);
});

it('promises more bytes of JSON than it sends', async () => {
  await simulator.fault({ kind: 'truncateJson' });
  const response = await chat();
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
});

it('ends a stream inside an event', async () => {
  await simulator.fault({ kind: 'truncateJson' });
  const text = Buffer.concat(await segments(true)).toString();
  expect(text.trimEnd().endsWith('}')).toBe(false);
});

it('reports an error inside a stream that began with 200', async () => {
  await simulator.fault({ kind: 'errorInStream', afterChunks: 2 });
  const response = await chat(true);
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('data: {"error":{"message":');
});

it('splits multi-byte characters over segments, and the whole is still right', async () => {
  await simulator.fault({ kind: 'splitUtf8' });
  const parts = await segments(true);
  const endsInside = parts.filter((part) => part.toString().includes('\ufffd'));
  expect(endsInside.length).toBeGreaterThan(0);
  expect(await (await chat(true)).text()).toContain('漢字');
  expect(await (await chat()).text()).toContain('é漢字🚀');
});

it('is slow when told', async () => {
  await simulator.fault({ kind: 'slow', tokenDelayMs: 2 });
  const startMs = performance.now();
  await (await chat()).text();
  expect(performance.now() - startMs).toBeGreaterThan(60);
});

it('takes faults over its control path, and refuses what is none', async () => {
  const control = (body: object) =>
    fetch(`${simulator.url}/simulator/fault`, { method: 'POST', body: JSON.stringify(body) });
  expect((await control({ kind: 'status503' })).status).toBe(200);
  expect((await chat()).status).toBe(503);
  expect((await control({ kind: 'none' })).status).toBe(200);
  expect((await chat()).status).toBe(200);
  expect((await control({ kind: 'earthquake' })).status).toBe(400);
  await (await control({ kind: 'crash' })).text();
  await eventually('the port is closed', () => !simulator.listening);
});

it('remembers what it was sent', async () => {
  await (await chat()).text();
  const request = simulator.inferenceRequests.at(-1);
  expect(request).toMatchObject({ method: 'POST', path: '/v1/chat/completions' });
  expect(JSON.parse(request?.bodyText ?? '')).toMatchObject({ model: 'qwen' });
});
