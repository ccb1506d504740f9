import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { magicPacket, type NetworkInterface, systemClock } from '@ai-fabric/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { magicPacketSender } from './magic-packet-sender.js';

const MAC = '52:54:00:bb:00:01';
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

async function sleeper(): Promise<{ port: number; heard: Buffer[] }> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  const heard: Buffer[] = [];
  socket.on('message', (message) => heard.push(message));
  socket.bind(0, '0.0.0.0');
  await once(socket, 'listening');
  return { port: (socket.address() as AddressInfo).port, heard };
}

const loopback = (address: string): NetworkInterface => ({
  name: 'lo',
  mac: '52:54:00:aa:00:01',
  addresses: [address],
  kind: 'wired',
  gatewayMac: null,
});

const order = (port: number, addresses: string[] = []) => ({
  ...{ wakeId: 'w1', macs: [MAC], gatewayMac: null, addresses, ports: [port] },
});

describe('the sender of magic packets', () => {
  it('reaches who listens, by broadcast and by address', async () => {
    const { port, heard } = await sleeper();
    const send = magicPacketSender(() => [loopback('127.0.0.1/8')], systemClock());
    const { sent } = await send(order(port, ['127.0.0.1']));
    expect(sent).toBeGreaterThanOrEqual(2);
    await expect.poll(() => heard.length).toBeGreaterThanOrEqual(2);
    for (const packet of heard) expect(packet).toEqual(Buffer.from(magicPacket(MAC)));
  });

  it('says why nothing left: an address that this host has no more', async () => {
    const send = magicPacketSender(() => [loopback('192.0.2.77/24')], systemClock());
    const { sent, problems } = await send(order(9));
    expect(sent).toBe(0);
    expect(problems).toEqual(['from 192.0.2.77: EADDRNOTAVAIL']);
  });

  it('sends what it can when one of two addresses is gone', async () => {
    const { port, heard } = await sleeper();
    const interfaces = [loopback('192.0.2.77/24'), loopback('127.0.0.1/8')];
    const { sent, problems } = await magicPacketSender(() => interfaces, systemClock())(order(port));
    expect(sent).toBeGreaterThan(0);
    expect(problems).toContain('from 192.0.2.77: EADDRNOTAVAIL');
    await expect.poll(() => heard.length).toBeGreaterThan(0);
  });

  it('sends nothing without an interface on that LAN', async () => {
    const send = magicPacketSender(() => [], systemClock());
    expect(await send(order(9))).toEqual({ sent: 0, problems: [] });
  });
});
