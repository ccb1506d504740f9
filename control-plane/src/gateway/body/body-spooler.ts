import type { IncomingMessage } from 'node:http';
import { type GatewayError, gatewayError } from '../decide/error-table.js';
import type { BodyScan } from './body-scan.js';
import type { Spool } from './spool.js';
import type { SpoolFile } from './spool-file.js';
import { SpooledBody } from './spooled-body.js';

export interface SpoolListener {
  onSpooled(body: SpooledBody): void;
  onSpoolRefused(error: GatewayError): void;
}

/** The client is not read further while so much waits for the disk. */
const MAX_WAITING_BYTES = 256 * 1024;

/** Brings a body to the disk as it comes, and looks at it on the way. */
export class BodySpooler {
  readonly #request: IncomingMessage;
  readonly #listener: SpoolListener;
  readonly #spool: Spool;
  readonly #file: SpoolFile;
  readonly #scan: BodyScan;
  readonly #from: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #hasAll = false;
  #isOver = false;
  #hasFile = true;

  /** @param from what stands before it in the file is no part of the body */
  constructor(
    request: IncomingMessage,
    listener: SpoolListener,
    spool: Spool,
    file: SpoolFile,
    scan: BodyScan,
    from: number,
  ) {
    this.#request = request;
    this.#listener = listener;
    this.#spool = spool;
    this.#file = file;
    this.#scan = scan;
    this.#from = from;
  }

  push(chunk: Uint8Array): void {
    this.#take(chunk, this.#scan.push(chunk));
  }

  /** @param head what is no part of the body comes before it */
  begin(head: Uint8Array): void {
    this.#take(head, this.#scan.push(head.subarray(this.#from)));
  }

  /** The client has sent all of it. */
  end(): void {
    this.#hasAll = true;
    this.#finish();
  }

  /** Lets go of the file, on every path. Safe to call again. */
  release(): void {
    this.#isOver = true;
    this.#waiting = [];
    if (this.#hasFile) this.#file.release();
    this.#hasFile = false;
  }

  #take(chunk: Uint8Array, fault: GatewayError | null): void {
    if (this.#isOver) return;
    if (fault !== null) {
      this.#refuse(fault);
      return;
    }
    if (!this.#file.reserve(chunk.length)) {
      this.#refuse(gatewayError('overloaded', this.#spool.full()));
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#request.pause();
    this.#write();
  }

  #write(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    this.#isWriting = true;
    const [first] = this.#waiting;
    const bytes = this.#waiting.length === 1 ? (first as Uint8Array) : Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#file.append(bytes, (error) => {
      this.#isWriting = false;
      this.#waitingBytes -= bytes.length;
      if (this.#isOver) return;
      if (error !== null) {
        this.#refuse(gatewayError('overloaded', this.#spool.failed(error)));
        return;
      }
      if (this.#request.isPaused() && this.#waitingBytes <= MAX_WAITING_BYTES) this.#request.resume();
      this.#write();
      this.#finish();
    });
  }

  #finish(): void {
    if (!this.#hasAll || this.#isWriting || this.#isOver) return;
    const scanned = this.#scan.end();
    if ('code' in scanned) {
      this.#refuse(scanned);
      return;
    }
    this.#isOver = true;
    this.#listener.onSpooled(new SpooledBody(this.#file, this.#from, scanned));
  }

  #refuse(error: GatewayError): void {
    this.release();
    this.#listener.onSpoolRefused(error);
  }
}
