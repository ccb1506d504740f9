import { createServer } from 'node:net';

export interface ChosenPort {
  readonly port: number;
  /** Who holds the one that was wanted; `null` when it was free. */
  readonly takenBy: string | null;
}

/** The wanted port where it is free on loopback, else any free one and the name of who has the wanted one. */
export async function choosePort(wanted: number): Promise<ChosenPort> {
  if ((await tryPort(wanted)) !== null) return { port: wanted, takenBy: null };
  const port = await tryPort(0);
  if (port === null) throw new Error('no port is free on 127.0.0.1');
  // Only now: it brings the whole control plane along.
  const { portHolder } = await import('@ai-fabric/control-plane');
  return { port, takenBy: await portHolder({ host: '127.0.0.1', port: wanted }) };
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}
