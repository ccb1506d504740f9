import { type IncomingMessage, type OutgoingHttpHeaders, request as sendRequest } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { normaliseCertificateSha256 } from '@ai-fabric/shared';
import { CliError, exitCodes } from './exit-codes.js';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export interface ApiRequest {
  readonly method: Method;
  /** With its query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | null;
}

export interface ExchangeTimeouts {
  /** Until an answer begins. */
  readonly headersMs: number;
  /** Between two pieces of it; 0: as long as it likes. */
  readonly bodyMs: number;
}

/** Somebody else answers there, or it has a new certificate. */
export class CertificateMismatch extends CliError {}

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * One request over a connection of its own. Node's own client does: undici alone takes longer to load than most
 * commands take.
 */
export class ApiExchange {
  readonly #socket: Socket;
  readonly #host: string;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
  }

  /**
   * Connects, and compares the certificate before a request, and so the admin token, is written.
   *
   * @param url http: or https:
   * @throws {CertificateMismatch}
   * @throws {Error} where nobody answers
   */
  static async open(url: string, certificateSha256: string): Promise<ApiExchange> {
    const { protocol, hostname, port, host } = new URL(url);
    const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
    if (protocol === 'https:') {
      const pinned = { ...address, port: address.port || 443, certificateSha256 };
      return new ApiExchange(await connectPinned(pinned), host);
    }
    if (protocol !== 'http:') throw new Error(`"${protocol}" is neither http: nor https:`);
    const socket = connect({ ...address, port: address.port || 80 });
    await connected(socket, 'connect');
    return new ApiExchange(socket, host);
  }

  /** Resolves when the answer begins. Whoever reads it gets an error when it breaks off or stops coming. */
  ask(
    { method, path, headers, body }: ApiRequest,
    { headersMs, bodyMs }: ExchangeTimeouts,
  ): Promise<IncomingMessage> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const outgoing = sendRequest({
        ...{ method, path, headers: { ...headers, host: this.#host } },
        createConnection: () => socket,
      });
      const deadline = setTimeout(() => outgoing.destroy(late('no answer', headersMs)), headersMs);
      outgoing.once('response', (answer) => {
        clearTimeout(deadline);
        socket.setTimeout(bodyMs, () => answer.destroy(late('nothing more', bodyMs)));
        resolve(answer);
      });
      outgoing.on('error', (error) => {
        clearTimeout(deadline);
        reject(error);
      });
      outgoing.end(body ?? undefined);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function connectPinned({
  host,
  port,
  certificateSha256,
}: {
  readonly host: string;
  readonly port: number;
  readonly certificateSha256: string;
}): Promise<Socket> {
  const servername = isIP(host) === 0 ? host : '';
  const socket = connectTls({ host, port, servername, rejectUnauthorized: false });
  await connected(socket, 'secureConnect');
  const seen = normaliseCertificateSha256(socket.getPeerCertificate().fingerprint256 ?? '');
  if (seen === normaliseCertificateSha256(certificateSha256)) return socket;
  socket.destroy();
  throw new CertificateMismatch(
    exitCodes.unreachable,
    `the certificate of ${host} is ${seen}, not the expected ${certificateSha256 || '(none given)'}`,
    'give the one that "ai-fabric up" prints with --certificate-sha256',
  );
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(
      () => socket.destroy(late('no connection', CONNECT_TIMEOUT_MS)),
      CONNECT_TIMEOUT_MS,
    );
    const onError = (error: Error): void => {
      clearTimeout(deadline);
      reject(error);
    };
    socket.once('error', onError).once(event, () => {
      clearTimeout(deadline);
      socket.off('error', onError);
      resolve();
    });
  });
}

function late(what: string, ms: number): Error {
  return new Error(`${what} within ${ms / 1000} s`);
}
