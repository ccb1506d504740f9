import type { ReplicaStatus } from '@ai-fabric/shared';
import type { VllmDeployment } from '../../declared/declared-state.js';

/** Where an engine of ours is asked without its host's tunnel. The key is a secret: for the request alone. */
export type DirectEngine =
  | { readonly known: true; readonly origin: string; readonly key: string | null }
  /** `detail`: what is missing, as a phrase for people. */
  | { readonly known: false; readonly detail: string };

export interface DirectEngineFacts {
  readonly deployment: Pick<VllmDeployment, 'address' | 'port' | 'host'>;
  /** Where its host's link comes from; `null`: there is none. */
  readonly peerAddress: string | null;
  /** What its agent observes; `undefined`: nothing yet. */
  readonly status: ReplicaStatus | undefined;
}

const IP_ADDRESS = /^[0-9a-f.:]+$/i;
const LOOPBACK = /^(127\.|::1$)/;
/** Link-local and unspecified. */
const OF_NO_HOST = /^(169\.254\.|fe[89ab][0-9a-f]:|0\.0\.0\.0$|::$)/i;

/**
 * An agent is believed where it is heard from, and which key its engine has; never where else to go: the address is the
 * declared one, or that of its link, and the port is the declared one.
 */
export function findDirectEngine({ deployment, peerAddress, status }: DirectEngineFacts): DirectEngine {
  const { address, port, host } = deployment;
  if (port === null) return unknown('no port of it is declared');
  if (status === undefined || status.port === null)
    return unknown(`the agent on ${host} tells of no port yet`);
  if (status.port !== port) {
    return unknown(`it listens on port ${status.port} of ${host}, declared is ${port}`);
  }
  const key = status.directKey;
  // Of a container that somebody else made the agent has no key to tell.
  if (key === null && status.container?.adopted !== true) {
    return unknown(`the agent on ${host} has not told the key of its engine yet`);
  }
  if (address !== null) return { known: true, origin: originOf(address, port), key };
  if (peerAddress === null || !IP_ADDRESS.test(peerAddress) || OF_NO_HOST.test(peerAddress)) {
    return unknown(`no address of ${host} is known; declare the deployment's "address"`);
  }
  if (LOOPBACK.test(peerAddress)) {
    return unknown(
      `the link of ${host} comes from ${peerAddress}, which may be a proxy; declare the deployment's "address"`,
    );
  }
  return { known: true, origin: originOf(peerAddress, port), key };
}

function originOf(address: string, port: number): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function unknown(detail: string): DirectEngine {
  return { known: false, detail };
}
