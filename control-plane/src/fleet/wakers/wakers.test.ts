import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runWaker } from './run-waker.js';
import type { Waker } from './waker-schema.js';
import { WakersFile } from './wakers-file.js';

let directory: string;
let clock: ManualClock;
const call = { host: 'wintermute', wakeId: 'wake-1' };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ai-fabric-wakers-'));
  clock = new ManualClock();
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function fileOf(text: string, mode = 0o600): WakersFile {
  const file = join(directory, 'wakers.yaml');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return new WakersFile(file, clock);
}

const PLUG = `
version: 1
wakers:
  plug: { command: [/bin/true, on] }
  hook: { http: { url: 'http://plug.local/on' } }
`;

const detailOf = (found: ReturnType<WakersFile['find']>) => (found.ok ? null : found.detail);

describe('the file of wakers', () => {
  it('gives what it names, with what was left out', () => {
    const file = fileOf(PLUG);
    expect(file.find('plug')).toEqual({
      ok: true,
      waker: { command: ['/bin/true', 'on'], timeoutSeconds: 20 },
    });
    expect(file.find('hook')).toMatchObject({ ok: true, waker: { http: { method: 'POST', body: null } } });
  });

  it('names those it has when it is asked for another', () => {
    expect(detailOf(fileOf(PLUG).find('plugg'))).toMatch(/has no waker of this name; it has: hook, plug/);
    expect(fileOf(PLUG).find('toString').ok).toBe(false);
  });

  it('is not believed where others may write it', () => {
    expect(detailOf(fileOf(PLUG, 0o620).find('plug'))).toMatch(/can be written by others.*chmod go-w/);
    expect(detailOf(fileOf(PLUG, 0o602).find('plug'))).toMatch(/chmod go-w/);
  });

  it.each([
    ['version: 1\nwakers: { plug: { command: [true] } }', /wakers.plug/],
    ['version: 1\nwakers: { plug: { command: [plug, on] } }', /"plug" is no absolute path/],
    ['version: 1\nwakers: { plug: { shell: on } }', /wakers.plug/],
    ['version: 1\nwakers: { plug: { http: { url: file:///etc/passwd } } }', /wakers.plug/],
    ['version: [', /is no YAML/],
    ['', /wakers.yaml/],
  ])('that holds %j says what is wrong with it', (text, told) => {
    expect(detailOf(fileOf(text).find('plug'))).toMatch(told);
  });

  it('that is not there is no error until it is asked', () => {
    const file = new WakersFile(join(directory, 'none.yaml'), clock);
    expect(detailOf(file.find('plug'))).toMatch(/none.yaml is not there: make it/);
  });

  it('is read anew after an edit', () => {
    const file = fileOf(PLUG);
    expect(file.find('plug').ok).toBe(true);
    writeFileSync(join(directory, 'wakers.yaml'), 'version: 1\nwakers: {}\n');
    clock.advance(2_000);
    expect(file.find('plug').ok).toBe(false);
  });
});

const command = (...argv: string[]): Waker => ({ command: argv, timeoutSeconds: 20 });

describe('a command', () => {
  it('runs without a shell, and knows for which host', async () => {
    const test = '[ "$AI_FABRIC_WAKE_HOST $1" = "wintermute a b;c" ] && [ -z "$AI_FABRIC_SECRET" ]';
    const environment = { PATH: '/usr/bin:/bin', AI_FABRIC_SECRET: 'x' };
    expect(await runWaker(command('/bin/sh', '-c', test, 'sh', 'a b;c'), call, environment)).toBeNull();
  });

  it('that fails tells the end of what it said', async () => {
    expect(await runWaker(command('/bin/sh', '-c', 'echo no such plug >&2; exit 3'), call, {})).toBe(
      'it ended with 3: no such plug',
    );
    expect(await runWaker(command('/no/such/program'), call, {})).toMatch(/could not be started/);
  });

  it('that hangs is killed with all that it started, and holds nothing up', async () => {
    const hanging: Waker = { command: ['/bin/sh', '-c', 'sleep 60 & sleep 60'], timeoutSeconds: 1 };
    const begunMs = performance.now();
    expect(await runWaker(hanging, call, { PATH: '/usr/bin:/bin' })).toMatch(/did not end within 1 s/);
    expect(performance.now() - begunMs).toBeLessThan(20_000);
  });
});

describe('an HTTP hook', () => {
  let server: Server;
  let url: string;
  const seen: string[] = [];

  beforeEach(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers['x-plug']}`);
      if (request.url === '/hangs') return;
      response.writeHead(request.url === '/on' ? 200 : 302, { location: '/on' });
      response.end('done');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    seen.length = 0;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const hook = (path: string, timeoutSeconds = 20): Waker => ({
    http: { method: 'PUT', url: `${url}${path}`, headers: { 'x-plug': 'one' }, body: 'on' },
    timeoutSeconds,
  });

  it('is asked as the file says', async () => {
    expect(await runWaker(hook('/on'), call, {})).toBeNull();
    expect(seen).toEqual(['PUT /on one']);
  });

  it('that answers with something else has not done it, and is not followed elsewhere', async () => {
    expect(await runWaker(hook('/moved'), call, {})).toBe('it answered 302');
    expect(seen).toEqual(['PUT /moved one']);
  });

  it('that hangs is given up', async () => {
    expect(await runWaker(hook('/hangs', 1), call, {})).toMatch(/could not be asked/);
  });
});
