import { request as httpRequest } from 'node:http';
import type { TLSSocket } from 'node:tls';
import {
  type Clock,
  MAX_TUNNEL_LINE_BYTES,
  TUNNEL_CHALLENGE_HEADER,
  TUNNEL_PATH,
  TUNNEL_PROTOCOL,
  type TunnelHello,
  tunnelAnswerSchema,
  tunnelProofText,
} from '@ai-fabric/shared';
import { dialPinnedTls, type PinnedAddress } from '../link/dial-pinned-tls.js';
import { LinkError } from '../link/link-failure.js';
import { readLine } from './read-line.js';
import { TunnelError, type TunnelFailure } from './tunnel-failure.js';

/** What an agent proves itself with. */
export interface TunnelIdentity {
  readonly publicKey: string;
  readonly sign: (text: string) => string;
  readonly machineSha256: string;
  readonly instanceId: string;
}

export type DialTunnel = (
  address: PinnedAddress,
  identity: TunnelIdentity,
  signal: AbortSignal,
) => Promise<TLSSocket>;

/** From the connection to the welcome. */
const PROOF_TIMEOUT_MS = 10_000;

/**
 * Opens a connection to the one holder of the pinned certificate, proves this host's key on it, and gives it back
 * where HTTP/2 begins.
 *
 * @throws TunnelError
 */
export function tunnelDialler(clock: Clock): DialTunnel {
  return async (address, identity, signal) => {
    const socket = await dialPinnedTls(address, clock, signal).catch((error: unknown) => {
      throw new TunnelError(failureOf(error, address));
    });
    socket.on('error', () => undefined).setNoDelay(true);
    const late = clock.after(PROOF_TIMEOUT_MS, () => socket.destroy());
    const giveUp = (): void => void socket.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      const nonce = await upgrade(socket, address);
      await write(socket, `${JSON.stringify(helloOf(identity, address, nonce))}\n`);
      takeAnswer(await readLine(socket, MAX_TUNNEL_LINE_BYTES));
      return socket;
    } catch (error) {
      socket.destroy();
      throw error instanceof TunnelError ? error : new TunnelError(lost(address, error));
    } finally {
      late.cancel();
      signal.removeEventListener('abort', giveUp);
    }
  };
}

function helloOf(identity: TunnelIdentity, address: PinnedAddress, nonce: string): TunnelHello {
  const { publicKey, sign, machineSha256, instanceId } = identity;
  const { certificateSha256 } = address;
  const proof = sign(tunnelProofText({ nonce, certificateSha256, publicKey, instanceId }));
  return { publicKey, proof, machineSha256, instanceId };
}

/** @returns the challenge */
function upgrade(socket: TLSSocket, address: PinnedAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: address.host,
      port: address.port,
      path: TUNNEL_PATH,
      // With an agent, be it `false`, Node would open a connection of its own.
      createConnection: () => socket,
      headers: { connection: 'upgrade', upgrade: TUNNEL_PROTOCOL },
    });
    request.on('upgrade', (response, _socket, head) => {
      const nonce = response.headers[TUNNEL_CHALLENGE_HEADER];
      if (head.length > 0) socket.unshift(head);
      if (typeof nonce === 'string') resolve(nonce);
      else
        reject(new TunnelError({ code: 'protocol_error', detail: 'The control plane sent no challenge.' }));
    });
    request.on('response', (response) => {
      response.destroy();
      reject(new TunnelError(explainAnswer(address, response.statusCode ?? 0)));
    });
    request.on('error', reject);
    request.on('close', () => reject(new Error('the connection ended')));
    request.end();
  });
}

function write(socket: TLSSocket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

function takeAnswer(line: string): void {
  const answer = tunnelAnswerSchema.safeParse(parseJson(line));
  if (!answer.success) {
    throw new TunnelError({
      code: 'protocol_error',
      detail: 'The control plane answered with what is no answer.',
    });
  }
  if (answer.data.type === 'welcome') return;
  const { reason, detail } = answer.data;
  throw new TunnelError({ code: 'refused', reason, detail });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function explainAnswer({ url }: PinnedAddress, status: number): TunnelFailure {
  if (status === 503) {
    return {
      code: 'refused',
      reason: 'unavailable',
      detail: `${url} takes no more tunnels right now (HTTP 503).`,
    };
  }
  const detail = `${url} answered HTTP ${status}: this control plane knows no tunnel. Upgrade it.`;
  return { code: 'not_a_control_plane', detail };
}

function failureOf(error: unknown, address: PinnedAddress): TunnelFailure {
  if (error instanceof LinkError && error.failure.code !== 'goodbye') return error.failure;
  return { code: 'unreachable', detail: `${address.url}: ${String(error)}` };
}

function lost({ url }: PinnedAddress, error: unknown): TunnelFailure {
  const text = error instanceof Error ? error.message : String(error);
  return { code: 'lost', detail: `The connection to ${url} broke before the tunnel was open: ${text}.` };
}
