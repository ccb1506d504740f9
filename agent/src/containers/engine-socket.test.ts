import { createHook } from 'node:async_hooks';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ai-fabric/shared';
import { describe, expect, test } from 'vitest';
import { EngineSocket } from './engine-socket.js';

const ANSWERS = {
  'with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'in chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'that closes': 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello',
  'that keeps the connection': 'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello',
};

describe('a call whose answer is there', () => {
  test.each(Object.entries(ANSWERS))('%s is closed as a whole, not one way first', async (_, answer) => {
    let shutdowns = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'SHUTDOWNWRAP') shutdowns += 1;
      },
    });
    const folder = mkdtempSync(join(tmpdir(), 'engine-socket-'));
    const path = join(folder, 'engine.sock');
    let closed = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.once('data', () => socket.write(answer));
      socket.once('end', () => socket.destroy());
      socket.once('close', closed);
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const calls = new EngineSocket(path, systemClock());
    hook.enable();
    try {
      const { signal } = new AbortController();
      const asked = await calls.ask({ method: 'GET', path: '/_ping', signal, deadlineMs: 20_000 });
      expect(asked).toMatchObject({ status: 200, text: 'hello' });
      await gone;
      expect(shutdowns).toBe(0);
    } finally {
      hook.disable();
      calls.close();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
