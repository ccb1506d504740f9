import { once } from 'node:events';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InstallDesk } from './install-desk.js';
import { ReleaseStage, sha256Of } from './testing/release-stage.js';

const SCRIPT = '#!/bin/sh\necho hello\n';
/** More than two sockets hold for a client that does not read. */
const AGENT = Buffer.alloc(24_000_000, 7);
const MAX_DOWNLOADS = 2;

let stage: ReleaseStage;
let server: Server;
let url: string;
beforeEach(async () => {
  stage = new ReleaseStage();
  const desk = new InstallDesk(stage.folder, pino({ level: 'silent' }), MAX_DOWNLOADS);
  server = createServer((request, response) => desk.handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/install/`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  stage.remove();
});

const put = () => stage.put({ 'agent.sh': SCRIPT, 'ai-fabric-agent-linux-x64.gz': AGENT });

/** A path as it is written: `fetch` would tidy it. */
async function ask(path: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  await once(socket, 'close');
  return text;
}

describe('/install/', () => {
  it('gives each file of the release, whole, with its length and hash', async () => {
    const manifest = put();
    const script = await fetch(`${url}agent.sh`);
    expect(await script.text()).toBe(SCRIPT);
    expect(Object.fromEntries(script.headers)).toMatchObject({
      'content-length': String(SCRIPT.length),
      'content-type': 'text/x-shellscript; charset=utf-8',
      etag: `"${sha256Of(SCRIPT)}"`,
      'x-content-type-options': 'nosniff',
    });
    const agent = await fetch(`${url}ai-fabric-agent-linux-x64.gz`);
    expect(agent.headers.get('content-encoding')).toBeNull();
    expect(sha256Of(Buffer.from(await agent.arrayBuffer()))).toBe(sha256Of(AGENT));
    expect(await (await fetch(`${url}manifest.json`)).json()).toEqual(manifest);
    expect((await fetch(`${url}manifest.sig`)).status).toBe(404);
  });

  it('answers a HEAD with the head alone, and nothing to who has the file', async () => {
    put();
    const head = await fetch(`${url}ai-fabric-agent-linux-x64.gz`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(AGENT.length)]);
    const again = await fetch(`${url}agent.sh`, { headers: { 'if-none-match': `"${sha256Of(SCRIPT)}"` } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('gives the part of a file that is asked for', async () => {
    const manifest = put();
    const part = (name: string, range: string, more = {}) =>
      fetch(`${url}${name}`, { headers: { range, ...more } });
    const rest = await part('agent.sh', 'bytes=5-');
    expect([rest.status, await rest.text()]).toEqual([206, SCRIPT.slice(5)]);
    expect(Object.fromEntries(rest.headers)).toMatchObject({
      'content-range': `bytes 5-${SCRIPT.length - 1}/${SCRIPT.length}`,
      'content-length': String(SCRIPT.length - 5),
      'accept-ranges': 'bytes',
      etag: `"${sha256Of(SCRIPT)}"`,
    });
    const middle = await part('ai-fabric-agent-linux-x64.gz', 'bytes=1000-1999');
    expect(Buffer.from(await middle.arrayBuffer())).toEqual(AGENT.subarray(1_000, 2_000));
    expect(await (await part('manifest.json', 'bytes=-3')).text()).toBe(JSON.stringify(manifest).slice(-3));
    const past = await part('agent.sh', `bytes=${SCRIPT.length}-`);
    expect([past.status, past.headers.get('content-range')]).toEqual([416, `bytes */${SCRIPT.length}`]);
    await past.body?.cancel();
  });

  it('gives the whole of a file that is another than the client has the beginning of', async () => {
    put();
    const ask = (tag: string) => fetch(`${url}agent.sh`, { headers: { range: 'bytes=5-', 'if-range': tag } });
    const [same, other] = [await ask(`"${sha256Of(SCRIPT)}"`), await ask(`"${sha256Of('another')}"`)];
    expect([same.status, await same.text()]).toEqual([206, SCRIPT.slice(5)]);
    expect([other.status, await other.text()]).toEqual([200, SCRIPT]);
  });

  it('lists what there is, for people', async () => {
    put();
    const text = await (await fetch(url)).text();
    expect(text).toContain('AI Fabric 0.2.0');
    expect(text).toContain('unsigned');
    expect(text).toContain(`${sha256Of(SCRIPT)}  agent.sh\n`);
  });

  it('is for reading', async () => {
    put();
    const answer = await fetch(`${url}agent.sh`, { method: 'DELETE' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each([
    '/install/../manifest.json',
    '/install/..%2f..%2fetc%2fpasswd',
    '/install/%2e%2e/secret',
    '/install//etc/passwd',
    '/install/./agent.sh',
    '/install/agent.sh/',
    '/install/agent%2esh',
    '/install/secret',
    '/install/__proto__',
    '/install/constructor',
  ])('gives nothing that the manifest does not name: %s', async (path) => {
    put();
    writeFileSync(stage.path('secret'), 'not for you');
    const text = await ask(path);
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    expect(text).not.toContain('not for you');
  });

  it('says what to do where there is no release', async () => {
    const answer = await fetch(`${url}agent.sh`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toMatch(
      /no manifest\.json in it[\s\S]*npm run package[\s\S]*AI_FABRIC_RELEASE_DIR/,
    );
  });

  it('gives no file that was tampered with, before or since it was hashed', async () => {
    put();
    expect((await fetch(`${url}agent.sh`)).status).toBe(200);
    writeFileSync(stage.path('agent.sh'), SCRIPT.replace('hello', 'holla'));
    utimesSync(stage.path('agent.sh'), 1, 1);
    expect((await fetch(`${url}agent.sh`)).status).toBe(503);
    const answer = await fetch(`${url}agent.sh`);
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('SHA-256')]);
  });

  it('ends with an answer where a file cannot be read', async () => {
    put();
    rmSync(stage.path('agent.sh'));
    mkdirSync(stage.path('agent.sh'));
    expect((await fetch(`${url}agent.sh`)).status).toBe(503);
  });

  it('takes a bounded number of downloads, and takes more when those went away', async () => {
    put();
    const held = Array.from({ length: MAX_DOWNLOADS }, () => request(`${url}ai-fabric-agent-linux-x64.gz`));
    // Their heads come, their bodies are not read: each is under way for as long as it is held.
    await Promise.all(
      held.map((each) => {
        each.end();
        each.on('error', () => undefined);
        return once(each, 'response');
      }),
    );
    const refused = await fetch(`${url}agent.sh`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    for (const each of held) each.destroy();
    await expect.poll(async () => (await fetch(`${url}agent.sh`)).status, { timeout: 20_000 }).toBe(200);
  });
});
