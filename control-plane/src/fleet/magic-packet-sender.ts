import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { directedBroadcast, magicPacket } from '@ai-fabric/shared';
import type { OwnAddress } from './decide/find-paths.js';

/** Who sends magic packets from this machine. */
export interface PacketSender {
  /** @returns which addresses of ours sent, and why others did not; it does not reject */
  send(order: PacketOrder): Promise<PacketsSent>;
}

export interface PacketOrder {
  readonly macs: readonly string[];
  /** Ours, on the sleeping host's LAN. */
  readonly own: readonly OwnAddress[];
  /** The sleeping host's last IPv4 addresses, without prefix. */
  readonly addresses: readonly string[];
}

export interface PacketsSent {
  readonly isOut: boolean;
  readonly notes: readonly string[];
}

/** A socket that neither binds nor sends by then is given up. */
const SEND_DEADLINE_MS = 2_000;

/** The one owner of UDP. A socket for each volley and each address of ours: broadcasts leave by the interface that has it. */
export function createMagicPacketSender(ports: readonly number[]): PacketSender {
  return {
    send: async (order) => {
      const results = await Promise.all(order.own.map((own) => sendFrom(own, order, ports)));
      const notes = results.filter((note) => note !== null);
      return { isOut: notes.length < results.length, notes };
    },
  };
}

/** IPv4 addresses of this machine now, with their prefix length. */
export function ownIpv4Addresses(): readonly OwnAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter(({ family, cidr }) => family === 'IPv4' && cidr !== null)
      .map(({ cidr }) => ({ interface: name, address: cidr ?? '' })),
  );
}

/** @returns `null`: at least one packet left; else why none did */
function sendFrom(own: OwnAddress, order: PacketOrder, ports: readonly number[]): Promise<string | null> {
  const address = own.address.split('/')[0] ?? '';
  return new Promise((resolve) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    const end = (note: string | null) => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      closeQuietly(socket);
      resolve(note === null ? null : `${own.interface} (${address}): ${note}`);
    };
    const timer = setTimeout(() => end('it did not send in time'), SEND_DEADLINE_MS);
    socket.once('error', (error) => end(error.message));
    socket.bind({ address, port: 0, exclusive: true }, () => {
      socket.setBroadcast(true);
      const failures: string[] = [];
      const packets = packetsOf(own.address, order, ports);
      let left = packets.length;
      for (const { payload, port, to } of packets) {
        socket.send(payload, port, to, (error) => {
          if (error) failures.push(error.message);
          left -= 1;
          if (left === 0) end(failures.length < packets.length ? null : (failures[0] ?? 'nothing to send'));
        });
      }
    });
  });
}

function packetsOf(own: string, { macs, addresses }: PacketOrder, ports: readonly number[]) {
  const broadcast = directedBroadcast(own);
  const isLoopback = own.startsWith('127.');
  const targets = new Set([
    ...(broadcast === null ? [] : [broadcast]),
    // On loopback there is no other network to broadcast to.
    ...(isLoopback ? [] : ['255.255.255.255']),
    ...addresses,
  ]);
  return macs.flatMap((mac) => {
    const payload = magicPacket(mac);
    return ports.flatMap((port) => [...targets].map((to) => ({ payload, port, to })));
  });
}

function closeQuietly(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // It is closed already, where binding failed.
  }
}
