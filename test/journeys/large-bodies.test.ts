import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlPlaneProcess } from '../harness/control-plane-process.js';
import { fabricYaml } from '../harness/fabric-yaml.js';

const MIB = 1024 * 1024;
const HEAD = '{"messages":[{"role":"user","content":"';
const TAIL = '"}],"model":"chat-fast"}';
const PIECE = Buffer.alloc(64 * 1024, 'abcdefgh');

const controlPlane = new ControlPlaneProcess();
let engine: Server;
const seen: { length: number; tail: string }[] = [];

beforeAll(async () => {
  engine = createServer((asked, response) => {
    let length = 0;
    let tail = '';
    asked.on('data', (chunk: Buffer) => {
      length += chunk.length;
      tail = (tail + chunk.toString('latin1').slice(-60)).slice(-60);
    });
    asked.on('end', () => {
      seen.push({ length, tail });
      response.setHeader('content-type', 'application/json').end('{"choices":[]}');
    });
  });
  engine.listen(0, '127.0.0.1');
  await once(engine, 'listening');
  const url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  await controlPlane.start({
    fabric: fabricYaml({
      providers: { cloud: { baseUrl: `${url}/v1`, models: { chat: { model: 'served' } } } },
      roles: { 'chat-fast': { targets: ['cloud/chat'] } },
    }),
  });
});
afterAll(async () => {
  await controlPlane.close();
  engine.close();
});

/** Sends a body of so many bytes piece by piece, so that this process does not hold it either. */
async function post(bytes: number): Promise<{ status: number; sent: number }> {
  const asked = request(`${controlPlane.url}/v1/chat/completions`, { method: 'POST', agent: false });
  const answer = once(asked, 'response');
  let sent = 0;
  const write = async (piece: string | Buffer): Promise<void> => {
    sent += piece.length;
    if (!asked.write(piece)) await once(asked, 'drain');
  };
  await write(HEAD);
  while (sent < bytes) await write(PIECE);
  await write(TAIL);
  asked.end();
  const [response] = await answer;
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, sent };
}

/** The most that the program has held since the last time, in bytes. */
function peakBytes(): number {
  const status = readFileSync(`/proc/${controlPlane.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

test('bodies of 20 MB go through, and the program grows by less than three of them', async () => {
  const isLinux = existsSync('/proc/self/status');
  await post(100_000);
  const before = isLinux ? peakBytes() : 0;
  const one = await post(20 * MIB);
  const afterOne = isLinux ? peakBytes() : 0;
  const three = await Promise.all([post(20 * MIB), post(20 * MIB), post(20 * MIB)]);
  const afterThree = isLinux ? peakBytes() : 0;

  for (const { status } of [one, ...three]) expect(status).toBe(200);
  const change = '"served"'.length - '"chat-fast"'.length;
  expect(seen.slice(1)).toEqual(
    [one, ...three].map(({ sent }) => ({
      length: sent + change,
      tail: expect.stringMatching(/abcdefgh"\}\],"model":"served"\}$/),
    })),
  );
  const grown = [afterOne - before, afterThree - afterOne].map((bytes) => Math.round(bytes / MIB));
  if (isLinux) console.log(`one body of 20 MB took ${grown[0]} MB, three more at once ${grown[1]} MB`);
  expect(grown[0]).toBeLessThan(60);
  expect(grown[1]).toBeLessThan(60);
  expect(readdirSync(join(controlPlane.dataDirectory, 'spool'))).toEqual([]);
});
