export interface OpenSocket {
  readonly state: string;
  readonly localAddress: string;
  readonly localPort: string;
  readonly pid: number;
  readonly process: string;
}

export interface WantedPlace {
  readonly host: string;
  readonly port: number;
}

const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '*']);

/** Who listens where we wanted to, as "node (process 12)"; as much of it as this account may see. */
export function namePortHolder(sockets: readonly OpenSocket[], { host, port }: WantedPlace): string {
  const holder = sockets.find(
    ({ state, localPort, localAddress }) =>
      state === 'LISTEN' && Number(localPort) === port && areSame(localAddress, host),
  );
  if (!holder?.pid) return 'another program';
  return holder.process ? `${holder.process} (process ${holder.pid})` : `process ${holder.pid}`;
}

/** Tools write IPv6 with or without brackets, and add the interface ("127.0.0.53%lo"). */
function areSame(localAddress: string, host: string): boolean {
  const address = localAddress.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  return address === host || EVERY_ADDRESS.has(address) || EVERY_ADDRESS.has(host);
}
