import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Clock } from '@ai-fabric/shared';
import type { Deadlines, Expiring } from './deadlines.js';
import { type GatewayError, gatewayError } from './decide/error-table.js';
import type { HeldBytes } from './held-bytes.js';

export interface BodyListener {
  onBody(body: Buffer): void;
  /** The body is not read further; what still arrives is thrown away. */
  onBodyRefused(error: GatewayError): void;
}

export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
}

/**
 * Reads a request's body within its bounds: size, the memory that all bodies share, and a deadline for the whole of
 * it, which a client that sends a byte a second cannot move. A client that goes away is its owner's to notice.
 */
export class BodyReader implements Expiring {
  expiresAtMs: number;
  slot = -1;
  readonly #request: IncomingMessage;
  readonly #listener: BodyListener;
  readonly #limits: BodyLimits;
  readonly #held: HeldBytes;
  readonly #deadlines: Deadlines;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #reading = false;

  constructor(
    request: IncomingMessage,
    listener: BodyListener,
    limits: BodyLimits,
    held: HeldBytes,
    deadlines: Deadlines,
    clock: Clock,
  ) {
    this.#request = request;
    this.#listener = listener;
    this.#limits = limits;
    this.#held = held;
    this.#deadlines = deadlines;
    this.expiresAtMs = clock.monotonicMs() + limits.bodyTimeoutMs;
  }

  /** @returns whether it reads: the client may be told to send the body, if it waits for that */
  start(): boolean {
    const refusal = refuseByHeaders(this.#request.headers, this.#limits.maxBodyBytes);
    if (refusal !== null) {
      this.#listener.onBodyRefused(refusal);
      return false;
    }
    this.#reading = true;
    this.#deadlines.watch(this);
    this.#request.on('data', this.#onData);
    this.#request.on('end', this.#onEnd);
    return true;
  }

  /** Gives back the memory of the body, and stops reading if it still does. Safe to call again. */
  release(): void {
    this.#stop();
    this.#held.give(this.#bytes);
    this.#bytes = 0;
    this.#chunks.length = 0;
  }

  onExpired(): void {
    const seconds = this.#limits.bodyTimeoutMs / 1000;
    this.#refuse(gatewayError('body_timeout', `The body did not arrive whole within ${seconds} s.`));
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#bytes + chunk.length > this.#limits.maxBodyBytes) {
      this.#refuse(tooLarge(this.#limits.maxBodyBytes));
    } else if (!this.#held.take(chunk.length)) {
      this.#refuse(gatewayError('overloaded', 'The gateway holds as many request bodies as it can.'));
    } else {
      this.#bytes += chunk.length;
      this.#chunks.push(chunk);
    }
  };

  readonly #onEnd = (): void => {
    this.#stop();
    const chunks = this.#chunks;
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.#bytes);
    chunks.length = 0;
    this.#listener.onBody(body);
  };

  #refuse(error: GatewayError): void {
    this.release();
    this.#listener.onBodyRefused(error);
  }

  #stop(): void {
    if (!this.#reading) return;
    this.#reading = false;
    this.#deadlines.unwatch(this);
    this.#request.off('data', this.#onData);
    this.#request.off('end', this.#onEnd);
  }
}

function refuseByHeaders(headers: IncomingHttpHeaders, maxBodyBytes: number): GatewayError | null {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity') {
    const message = `The body comes with content-encoding "${encoding}"; send it as plain JSON.`;
    return gatewayError('unsupported_media_type', message);
  }
  const type = headers['content-type'];
  if (type?.toLowerCase().startsWith('multipart/') === true) {
    return gatewayError('unsupported_media_type', `The body must be application/json, not "${type}".`);
  }
  const length = headers['content-length'];
  return length !== undefined && Number(length) > maxBodyBytes ? tooLarge(maxBodyBytes) : null;
}

function tooLarge(maxBodyBytes: number): GatewayError {
  return gatewayError(
    'request_too_large',
    `The body is larger than the ${maxBodyBytes} bytes that are taken.`,
  );
}
