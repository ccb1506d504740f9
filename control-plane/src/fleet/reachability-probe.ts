import { connect } from 'node:net';

/** Whether a machine answers at an address, whatever the answer. */
export type ReachabilityProbe = (addresses: readonly string[]) => Promise<boolean>;

/** What a machine most likely answers at, be it with a refusal: SSH, Windows' file sharing. */
const PORTS = [22, 445];
const MOST_ADDRESSES = 4;
const ANSWER_MS = 1_500;

/** Attempts to connect: an accepted one and a refused one are both an answer of the machine. */
export const probeByTcp: ReachabilityProbe = async (addresses) => {
  const attempts = addresses
    .slice(0, MOST_ADDRESSES)
    .flatMap((address) => PORTS.map((port) => answersAt(address, port)));
  const answers = await Promise.all(attempts);
  return answers.includes(true);
};

function answersAt(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_MS });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'));
  });
}
