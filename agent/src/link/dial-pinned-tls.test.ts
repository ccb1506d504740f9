import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { systemClock } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { dialPinnedTls, type PinnedAddress } from './dial-pinned-tls.js';
import { LinkError } from './link-failure.js';
import { FakeControlPlane, makeCertificate, type TestCertificate } from './testing/fake-control-plane.js';

let certificate: TestCertificate;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  certificate = await makeCertificate();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function startPlane(options: Partial<FakeControlPlane['options']> = {}): Promise<FakeControlPlane> {
  const plane = await FakeControlPlane.start({ certificate, ...options });
  closing.push(() => plane.close());
  return plane;
}

/** A listener that does with each connection what it is told. */
async function startTcp(onConnection: (socket: Socket) => void): Promise<PinnedAddress> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, host: '127.0.0.1', port, certificateSha256: certificate.sha256 };
}

async function failureOf(dial: Promise<unknown>): Promise<LinkError['failure']> {
  const error: unknown = await dial.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LinkError)) throw new Error(`expected a LinkError, got ${String(error)}`);
  return error.failure;
}

const never = new AbortController().signal;

describe('dialPinnedTls', () => {
  test('opens TLS 1.3 to the holder of the pinned certificate', async () => {
    const plane = await startPlane();
    const socket = await dialPinnedTls(plane.address, systemClock(), never);
    expect(socket.getProtocol()).toBe('TLSv1.3');
    socket.destroy();
  });

  test('sends not one byte to another certificate, and names both', async () => {
    const plane = await startPlane();
    const pinned = 'ab'.repeat(32);
    const failure = await failureOf(
      dialPinnedTls({ ...plane.address, certificateSha256: pinned }, systemClock(), never),
    );
    expect(failure.code).toBe('pin_mismatch');
    expect(failure.detail).toContain(pinned);
    expect(failure.detail).toContain(certificate.sha256);
    expect(failure.detail).toContain('has to join anew');
    await expect.poll(() => [plane.connections, plane.openConnections]).toEqual([1, 0]);
    expect(plane.applicationBytes).toBe(0);
    expect(plane.links).toEqual([]);
  });

  test('refuses a server that cannot speak TLS 1.3', async () => {
    const plane = await startPlane({ tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } });
    const failure = await failureOf(dialPinnedTls(plane.address, systemClock(), never));
    expect(failure).toMatchObject({
      code: 'not_a_control_plane',
      detail: expect.stringContaining('TLS 1.3'),
    });
  });

  test('a plain HTTP port is called one', async () => {
    const address = await startTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const failure = await failureOf(dialPinnedTls(address, systemClock(), never));
    expect(failure).toMatchObject({ code: 'not_a_control_plane', detail: expect.stringContaining('8000') });
  });

  test('a port where nothing listens is unreachable', async () => {
    const address = await startTcp(() => undefined);
    await closing.pop()?.();
    expect(await failureOf(dialPinnedTls(address, systemClock(), never))).toMatchObject({
      code: 'unreachable',
      detail: expect.stringContaining('nothing listens there'),
    });
  });

  test('a connection that is closed before TLS is unreachable', async () => {
    const address = await startTcp((socket) => socket.destroy());
    expect(await failureOf(dialPinnedTls(address, systemClock(), never))).toMatchObject({
      code: 'unreachable',
    });
  });

  test('a port that takes connections and says nothing is given up after ten seconds', async () => {
    const clock = new ManualClock();
    let connected = false;
    const address = await startTcp(() => {
      connected = true;
    });
    const failure = failureOf(dialPinnedTls(address, clock, never));
    await expect.poll(() => connected).toBe(true);
    clock.advance(10_000);
    expect(await failure).toMatchObject({
      code: 'unreachable',
      detail: expect.stringContaining('ETIMEDOUT'),
    });
    expect(clock.pendingTimers).toBe(0);
  });

  test('can be given up while it dials', async () => {
    const address = await startTcp(() => undefined);
    const giveUp = new AbortController();
    const failure = failureOf(dialPinnedTls(address, systemClock(), giveUp.signal));
    giveUp.abort();
    expect(await failure).toMatchObject({ code: 'unreachable' });
  });
});
