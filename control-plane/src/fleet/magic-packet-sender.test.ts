import { createSocket, type Socket } from 'node:dgram';
import { magicPacket } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMagicPacketSender, ownIpv4Addresses } from './magic-packet-sender.js';

const loopback = { interface: 'lo', address: '127.0.0.1/8' };
const mac = '52:54:00:12:34:56';

let receiver: Socket;
let port: number;
let received: Promise<Buffer>;

beforeEach(async () => {
  receiver = createSocket('udp4');
  received = new Promise((resolve) => receiver.once('message', resolve));
  await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  port = receiver.address().port;
});

afterEach(() => receiver.close());

describe('magic packets from this machine', () => {
  it('arrive, and are what a network card waits for', async () => {
    const sender = createMagicPacketSender([port]);
    const sent = await sender.send({ macs: [mac], own: [loopback], addresses: ['127.0.0.1'] });
    expect(sent).toEqual({ isOut: true, notes: [] });
    expect(new Uint8Array(await received)).toEqual(magicPacket(mac));
  });

  it('that one address cannot send are told, and the others leave', async () => {
    const absent = { interface: 'gone0', address: '203.0.113.9/24' };
    const sender = createMagicPacketSender([port]);
    const both = await sender.send({ macs: [mac], own: [absent, loopback], addresses: ['127.0.0.1'] });
    expect(both.isOut).toBe(true);
    expect(both.notes).toHaveLength(1);
    expect(both.notes[0]).toMatch(/^gone0 \(203\.0\.113\.9\): /);
    const none = await sender.send({ macs: [mac], own: [absent], addresses: [] });
    expect(none.isOut).toBe(false);
  });

  it('leave from no address where there is none', async () => {
    const sent = await createMagicPacketSender([port]).send({ macs: [mac], own: [], addresses: [] });
    expect(sent).toEqual({ isOut: false, notes: [] });
  });
});

it('addresses of this machine have their prefix length', () => {
  expect(ownIpv4Addresses()).toContainEqual({ interface: 'lo', address: '127.0.0.1/8' });
});
