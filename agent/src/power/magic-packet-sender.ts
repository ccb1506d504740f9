import { createSocket, type Socket } from 'node:dgram';
import { type Clock, type MagicPacketOrder, magicPacket, type NetworkInterface } from '@ai-fabric/shared';
import { type PlannedPacket, planVolley } from './decide/plan-volley.js';

/** What came of a volley. */
export interface SentVolley {
  readonly sent: number;
  /** Of packets that did not leave, each reason once: `to 192.0.2.9: EACCES`. */
  readonly problems: readonly string[];
}

export type SendVolley = (order: MagicPacketOrder) => Promise<SentVolley>;

const DEADLINE_MS = 2_000;
const MAX_PROBLEMS = 8;

/**
 * Sends magic packets. A broadcast leaves on the interface that its socket is bound to, whatever the routes say, so
 * there is a socket for each address; each is closed when its packets left, or after two seconds.
 */
export function magicPacketSender(interfaces: () => readonly NetworkInterface[], clock: Clock): SendVolley {
  return async (order) => {
    const packets = planVolley(order, interfaces());
    const sources = [...new Set(packets.map(({ from }) => from))];
    const results = await Promise.all(
      sources.map((from) =>
        sendFrom(
          from,
          packets.filter((packet) => packet.from === from),
          clock,
        ),
      ),
    );
    const problems = [...new Set(results.flatMap((result) => result.problems))].slice(0, MAX_PROBLEMS);
    return { sent: results.reduce((sum, { sent }) => sum + sent, 0), problems };
  };
}

async function sendFrom(from: string, packets: readonly PlannedPacket[], clock: Clock): Promise<SentVolley> {
  const problems: string[] = [];
  let sent = 0;
  const socket = createSocket('udp4');
  // What comes late comes to a closed socket.
  socket.on('error', () => undefined);
  let late: () => void = () => undefined;
  const deadline = new Promise<void>((resolve) => {
    late = resolve;
  });
  const timer = clock.after(DEADLINE_MS, late);
  const volley = bind(socket, from).then(() =>
    Promise.all(
      packets.map(async (packet) => {
        const problem = await sendOne(socket, packet);
        if (problem === null) sent += 1;
        else problems.push(problem);
      }),
    ),
  );
  await Promise.race([
    volley.catch((error: unknown) => problems.push(`from ${from}: ${codeOf(error)}`)),
    deadline,
  ]);
  timer.cancel();
  socket.close();
  return { sent, problems };
}

function bind(socket: Socket, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port: 0, exclusive: true }, () => {
      socket.off('error', reject);
      socket.setBroadcast(true);
      resolve();
    });
  });
}

function sendOne(socket: Socket, { to, port, mac }: PlannedPacket): Promise<string | null> {
  return new Promise((resolve) => {
    socket.send(magicPacket(mac), port, to, (error) => resolve(error ? `to ${to}: ${codeOf(error)}` : null));
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
