import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Clock } from '@ai-fabric/shared';
import type { BodyScan } from './body/body-scan.js';
import { BodySpooler, type SpoolListener } from './body/body-spooler.js';
import type { Spool } from './body/spool.js';
import type { RequestBody, SpooledBody } from './body/spooled-body.js';
import type { Deadlines, Expiring } from './deadlines.js';
import { type GatewayError, gatewayError } from './decide/error-table.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import { formScanner } from './decide/peek-form.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';
import type { HeldBytes } from './held-bytes.js';
import { withoutMark } from './peek-body.js';

export interface BodyListener {
  onBody(body: RequestBody): void;
  /** The body is too large to hold; this is its head, and `onBody` tells of the whole. */
  onLargeBody(head: Buffer): void;
  /** The body is not read further; what still arrives is thrown away. */
  onBodyRefused(error: GatewayError): void;
}

/** Where bodies go that are too large to hold, and how they are looked at on the way. */
export interface LargeBodies {
  readonly spool: Spool;
  readonly openScan: (kind: EngineEndpoint['body'], headers: IncomingHttpHeaders) => BodyScan;
}

export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
  /** It is to be `multipart/form-data`, and not JSON. */
  readonly isForm: boolean;
}

/**
 * Reads a request's body within its bounds: size, the memory that all bodies share, and a deadline for the whole of
 * it, which a client that sends a byte a second cannot move. What is too large to hold goes to the disk as it comes. A
 * client that goes away is its owner's to notice.
 */
export class BodyReader implements Expiring, SpoolListener {
  expiresAtMs: number;
  slot = -1;
  readonly #request: IncomingMessage;
  readonly #listener: BodyListener;
  readonly #limits: BodyLimits;
  readonly #held: HeldBytes;
  readonly #deadlines: Deadlines;
  readonly #large: LargeBodies;
  readonly #kind: EngineEndpoint['body'];
  readonly #chunks: Buffer[] = [];
  #received = 0;
  /** Of it, in memory. */
  #bytes = 0;
  #spooler: BodySpooler | null = null;
  #reading = false;

  constructor(
    request: IncomingMessage,
    listener: BodyListener,
    limits: BodyLimits,
    held: HeldBytes,
    deadlines: Deadlines,
    clock: Clock,
    large: LargeBodies,
    kind: EngineEndpoint['body'],
  ) {
    this.#request = request;
    this.#listener = listener;
    this.#limits = limits;
    this.#held = held;
    this.#deadlines = deadlines;
    this.#large = large;
    this.#kind = kind;
    this.expiresAtMs = clock.monotonicMs() + limits.bodyTimeoutMs;
  }

  /** @returns whether the client waits to be told to send the body, and may be */
  start(): boolean {
    const refusal = refuseByHeaders(this.#request.headers, this.#limits);
    if (refusal !== null) {
      this.#listener.onBodyRefused(refusal);
      return false;
    }
    this.#reading = true;
    this.#deadlines.watch(this);
    this.#request.on('data', this.#onData);
    this.#request.on('end', this.#onEnd);
    return waitsForContinue(this.#request);
  }

  /** Gives back the memory of the body, and stops reading if it still does. Safe to call again. */
  release(): void {
    this.#stop();
    this.#giveMemory();
    this.#spooler?.release();
  }

  onExpired(): void {
    const seconds = this.#limits.bodyTimeoutMs / 1000;
    this.#refuse(gatewayError('body_timeout', `The body did not arrive whole within ${seconds} s.`));
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received += chunk.length;
    if (this.#received > this.#limits.maxBodyBytes) {
      this.#refuse(tooLarge(this.#limits.maxBodyBytes));
    } else if (this.#spooler !== null) {
      this.#spooler.push(chunk);
    } else if (!this.#held.take(chunk.length)) {
      this.#refuse(gatewayError('overloaded', 'The gateway holds as many request bodies as it can.'));
    } else {
      this.#bytes += chunk.length;
      this.#chunks.push(chunk);
      if (this.#bytes > GATEWAY_LIMITS.memoryBodyBytes) this.#spill();
    }
  };

  readonly #onEnd = (): void => {
    if (this.#spooler !== null) {
      // Its deadline goes on: the disk may hang.
      this.#spooler.end();
      return;
    }
    // Nothing more comes of the request: its listeners may stay.
    this.#reading = false;
    this.#deadlines.unwatch(this);
    const chunks = this.#chunks;
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.#bytes);
    chunks.length = 0;
    this.#listener.onBody(body);
  };

  onSpooled(body: SpooledBody): void {
    this.#stop();
    this.#listener.onBody(body);
  }

  onSpoolRefused(error: GatewayError): void {
    this.#refuse(error);
  }

  /** From here on the body goes to the disk. */
  #spill(): void {
    const { spool, openScan } = this.#large;
    const file = spool.create();
    if (typeof file === 'string') {
      this.#refuse(gatewayError('overloaded', file));
      return;
    }
    const head = Buffer.concat(this.#chunks, this.#bytes);
    this.#giveMemory();
    this.#listener.onLargeBody(head);
    const from = head.length - withoutMark(head).length;
    this.#spooler = new BodySpooler(
      this.#request,
      this,
      spool,
      file,
      openScan(this.#kind, this.#request.headers),
      from,
    );
    this.#spooler.begin(head);
  }

  #giveMemory(): void {
    this.#held.give(this.#bytes);
    this.#bytes = 0;
    this.#chunks.length = 0;
  }

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

/** Other expectations were refused before. */
function waitsForContinue({ headers, httpVersionMinor }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersionMinor > 0;
}

function refuseByHeaders(headers: IncomingHttpHeaders, limits: BodyLimits): GatewayError | null {
  const { maxBodyBytes, isForm } = limits;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity') {
    const message = `The body comes with content-encoding "${encoding}"; send it as it is.`;
    return gatewayError('unsupported_media_type', message);
  }
  const type = headers['content-type'];
  if (isForm) {
    const scanner = formScanner(type);
    if ('code' in scanner) return scanner;
  } else if (type?.toLowerCase().startsWith('multipart/') === true) {
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
