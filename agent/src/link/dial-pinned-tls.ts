import { connect, type TLSSocket } from 'node:tls';
import { type Clock, normaliseCertificateSha256 } from '@ai-fabric/shared';
import { explainDialError } from './decide/explain-dial-error.js';
import { LinkError } from './link-failure.js';

export interface PinnedAddress {
  /** For messages. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The only certificate that will do. */
  readonly certificateSha256: string;
}

const DIAL_TIMEOUT_MS = 10_000;

/**
 * Opens TLS 1.3 to the one holder of the pinned certificate. The pin takes the place of the web's authorities: the
 * control plane's certificate is its own. Nothing of ours is written before the certificate was compared: signing
 * nonces over a relayed connection would not stop the relay from adding commands after the proof.
 *
 * @throws LinkError `unreachable`, `not_a_control_plane` or `pin_mismatch`
 */
export function dialPinnedTls(address: PinnedAddress, clock: Clock, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address.host,
      port: address.port,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    const settle = (): void => {
      deadline.cancel();
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('close', onClose);
    };
    const fail = (error: LinkError): void => {
      settle();
      // A destroyed socket may still report an error; there is nobody left to tell.
      socket.on('error', () => undefined).destroy();
      reject(error);
    };
    const failWith = (code: string): void => fail(new LinkError(explainDialError(address.url, code)));
    const onAbort = (): void => failWith('ABORTED');
    const onError = (error: NodeJS.ErrnoException): void => failWith(codeOf(error));
    const onClose = (): void => failWith('ECONNRESET');
    const deadline = clock.after(DIAL_TIMEOUT_MS, () => failWith('ETIMEDOUT'));

    socket.once('secureConnect', () => {
      const seen = normaliseCertificateSha256(socket.getPeerCertificate().fingerprint256 ?? '');
      if (seen !== address.certificateSha256) return fail(pinMismatch(address, seen));
      settle();
      resolve(socket);
    });
    socket.on('error', onError).on('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function pinMismatch(address: PinnedAddress, seen: string): LinkError {
  const detail =
    `${address.url} shows another certificate than the pinned one: expected SHA-256 ${address.certificateSha256}, ` +
    `found ${seen || 'none'}. Nothing was sent to it. If the control plane was given a new certificate, this ` +
    'host has to join anew, by a new join token; if not, something stands between.';
  return new LinkError({ code: 'pin_mismatch', detail });
}

/** With several addresses to try, Node gives one error that holds one per address. */
function codeOf(error: NodeJS.ErrnoException): string {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const first = inner instanceof Error && 'code' in inner ? inner.code : undefined;
  return String(error.code ?? first ?? error.message);
}
