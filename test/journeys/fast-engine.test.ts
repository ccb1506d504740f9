import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ControlPlaneProcess } from '../harness/control-plane-process.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { eventually } from '../simulators/common/eventually.js';

const MIB = 1024 * 1024;
const EVENT = `data: {"choices":[{"index":0,"delta":{"content":"${'x'.repeat(64 * 1024)}"}}]}\n\n`;
const DONE = 'data: [DONE]\n\n';
const EVENTS = 1_000;
const BODY = '{"model":"chat-fast","stream":true,"messages":[]}';
const ASK = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;

const controlPlane = new ControlPlaneProcess();
const clients: Socket[] = [];
let engine: Server;
/** Events that the engine could write so far, of all its streams. */
let written = 0;

beforeAll(async () => {
  engine = createServer((asked, response) => {
    asked.resume();
    response.setHeader('content-type', 'text/event-stream');
    let left = EVENTS;
    const more = (): void => {
      while (left > 0) {
        left--;
        written++;
        if (!response.write(EVENT)) {
          response.once('drain', more);
          return;
        }
      }
      response.end(DONE);
    };
    more();
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
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});
afterAll(async () => {
  await controlPlane.close();
  engine.closeAllConnections();
  engine.close();
});

function askWithoutReading(): Socket {
  const socket = connect(Number(new URL(controlPlane.url).port), '127.0.0.1');
  clients.push(socket);
  socket.pause();
  socket.on('error', () => undefined);
  socket.write(ASK);
  return socket;
}

/** Reads all that comes. @returns the bytes */
function readAll(socket: Socket): Promise<number> {
  return new Promise((resolve) => {
    let received = 0;
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
      if (bytes.includes(DONE)) resolve(received);
    });
    socket.resume();
  });
}

const isLinux = existsSync('/proc/self/status');
/** What the program holds now, and the most that it held; in bytes. */
function memoryOf(what: 'VmRSS' | 'VmHWM'): number {
  if (!isLinux) return 0;
  const status = readFileSync(`/proc/${controlPlane.pid}/status`, 'utf8');
  return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
}

test('an engine that writes faster than its clients read is held up, and the program does not grow', async () => {
  await readAll(askWithoutReading());
  const before = memoryOf('VmHWM');
  written = 0;
  const stalled = [askWithoutReading(), askWithoutReading()];
  let seen = -1;
  let looksAlike = 0;
  await eventually('the engine is held up', () => {
    looksAlike = written > 0 && written === seen ? looksAlike + 1 : 0;
    seen = written;
    return looksAlike >= 20;
  });
  const heldUpAt = written;
  expect(heldUpAt).toBeLessThan(2 * 400);
  const received = await Promise.all(stalled.map(readAll));
  const grown = Math.round((memoryOf('VmHWM') - before) / MIB);
  if (isLinux) {
    const told = Math.round((heldUpAt * EVENT.length) / MIB);
    console.log(
      `two stalled clients: the engine wrote ${told} MB and waited; the program grew by ${grown} MB`,
    );
  }
  for (const bytes of received) expect(bytes).toBeGreaterThan(EVENTS * EVENT.length);
  expect(written).toBe(2 * EVENTS);
  expect(grown).toBeLessThan(48);
}, 60_000);
