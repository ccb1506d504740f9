import { type HttpHead, parseHttpHead } from './parse-http-head.js';

/** `no_http`, `too_long`; what the connection did is not known here. */
class HttpAnswerError extends Error {
  override readonly name = 'HttpAnswerError';
  readonly code: 'no_http' | 'too_long';

  constructor(code: 'no_http' | 'too_long', message: string) {
    super(message);
    this.code = code;
  }
}

type Phase = 'head' | 'by_length' | 'until_end' | 'chunk_size' | 'chunk' | 'chunk_end' | 'trailer' | 'whole';

/** Of a head, a chunk's size or a trailer: more is no answer of an engine. */
const MAX_HEAD_BYTES = 64 * 1024;
const CHUNK_SIZE = /^([0-9a-f]{1,8})[\t ]*(?:;.*)?$/i;
const NOTHING = Buffer.alloc(0);
const NO_HEAD: HttpHead = { status: 0, headers: {}, body: { kind: 'none' }, keepsConnection: false };
const CR = 0x0d;
const LF = 0x0a;
const MAX_SIZE_DIGITS = 8;
const LINE_END = '\r\n';
const HEAD_END = '\r\n\r\n';

/** Hears of one answer while it comes. */
export interface HttpAnswerListener {
  /** Interim answers (1xx) are not told. */
  onHead(head: HttpHead): void;
  /** @param part of the body, a view of the piece that was taken */
  onBody(part: Buffer): void;
}

/** Early hints and the like before one answer: more is no answer of an engine. */
const MAX_INTERIM = 16;

/** HTTP/1.1 answers to a GET or POST, one after the other, out of the pieces in which they come. */
export class HttpAnswerReader {
  readonly #listener: HttpAnswerListener;
  readonly #maxBytes: number;
  #phase: Phase = 'head';
  #head = NO_HEAD;
  /** The beginning of something that is read as a whole; a copy. */
  #rest: Buffer = NOTHING;
  #bytes = 0;
  /** Of a body by length, or of a chunk. */
  #left = 0;
  #interim = 0;
  #tooMuch = false;

  /** @param maxBytes of a body */
  constructor(listener: HttpAnswerListener, maxBytes = Number.POSITIVE_INFINITY) {
    this.#listener = listener;
    this.#maxBytes = maxBytes;
  }

  /** For the next answer on the same connection. */
  next(): void {
    this.#phase = 'head';
    this.#head = NO_HEAD;
    this.#bytes = 0;
    this.#interim = 0;
  }

  get isWhole(): boolean {
    return this.#phase === 'whole';
  }

  /** Whether another question may follow on the same connection. */
  get keepsConnection(): boolean {
    return this.isWhole && this.#head.keepsConnection && !this.#tooMuch;
  }

  get status(): number {
    return this.#head.status;
  }

  /**
   * @param piece may be used again by its owner once this returns
   * @throws HttpAnswerError, or what the listener throws
   */
  take(piece: Buffer): void {
    const data = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    this.#rest = NOTHING;
    let at = 0;
    while (at < data.length && this.#phase !== 'whole') {
      const next = this.#step(data, at);
      if (next === null) {
        this.#rest = Buffer.from(data.subarray(at));
        if (this.#rest.length > MAX_HEAD_BYTES) throw noHttp('its head has no end');
        return;
      }
      at = next;
    }
    if (at < data.length) this.#tooMuch = true;
  }

  /** The other side said all that it has to say. @returns whether the answer is whole */
  end(): boolean {
    if (this.#phase === 'until_end') this.#phase = 'whole';
    return this.isWhole;
  }

  /** @returns where to go on, `null` when more is needed */
  #step(data: Buffer, at: number): number | null {
    switch (this.#phase) {
      case 'head':
        return this.#until(HEAD_END, data, at, (text) => this.#takeHead(text));
      case 'chunk_size':
        return (
          this.#takePlainSize(data, at) ??
          this.#until(LINE_END, data, at, (line) => this.#takeChunkSize(line))
        );
      case 'chunk_end':
        return this.#takeChunkEnd(data, at);
      case 'trailer':
        return this.#until(LINE_END, data, at, (line) => {
          if (line === '') this.#phase = 'whole';
        });
      case 'until_end':
        this.#add(data.subarray(at));
        return data.length;
      case 'by_length':
      case 'chunk':
        return this.#takePart(data, at);
      case 'whole':
        return data.length;
      default:
        return this.#phase satisfies never;
    }
  }

  #until(end: string, data: Buffer, at: number, take: (text: string) => void): number | null {
    const found = data.indexOf(end, at, 'latin1');
    if (found < 0) return null;
    take(data.toString('latin1', at, found));
    return found + end.length;
  }

  #takeHead(text: string): void {
    const head = parseHttpHead(text);
    if (head === null) throw noHttp('its head is none');
    // "Early hints" and the like: the answer is yet to come.
    if (head.status < 200) {
      this.#interim++;
      if (this.#interim > MAX_INTERIM) throw noHttp('it never comes to its answer');
      return;
    }
    this.#head = head;
    this.#phase = this.#phaseOf(head);
    this.#listener.onHead(head);
  }

  #phaseOf({ body }: HttpHead): Phase {
    switch (body.kind) {
      case 'none':
        return 'whole';
      case 'until_end':
        return 'until_end';
      case 'chunks':
        return 'chunk_size';
      case 'length':
        this.#expect(body.bytes);
        return body.bytes === 0 ? 'whole' : 'by_length';
      default:
        return body satisfies never;
    }
  }

  #takeChunkSize(line: string): void {
    const size = CHUNK_SIZE.exec(line)?.[1];
    if (size === undefined) throw noHttp('a chunk has no size');
    this.#takeSize(Number.parseInt(size, 16));
  }

  #takeSize(bytes: number): void {
    this.#expect(bytes);
    this.#phase = this.#left === 0 ? 'trailer' : 'chunk';
  }

  /** Digits and the line's end, all there: all that a stream's chunks have. @returns `null` for whatever is not so plain */
  #takePlainSize(data: Buffer, start: number): number | null {
    let size = 0;
    let at = start;
    for (; at < start + MAX_SIZE_DIGITS; at++) {
      const digit = hexDigit(data[at]);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    if (at === start || data[at] !== CR || data[at + 1] !== LF) return null;
    this.#takeSize(size);
    return at + 2;
  }

  #takeChunkEnd(data: Buffer, at: number): number | null {
    const isLineEnd = data[at] === CR && (at + 1 === data.length || data[at + 1] === LF);
    if (!isLineEnd) throw noHttp('a chunk is longer than its size');
    if (at + 1 === data.length) return null;
    this.#phase = 'chunk_size';
    return at + 2;
  }

  #takePart(data: Buffer, at: number): number {
    const end = Math.min(data.length, at + this.#left);
    this.#add(data.subarray(at, end));
    this.#left -= end - at;
    if (this.#left === 0) this.#phase = this.#phase === 'chunk' ? 'chunk_end' : 'whole';
    return end;
  }

  #expect(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) throw tooLong(this.#maxBytes);
    this.#left = bytes;
  }

  #add(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) throw tooLong(this.#maxBytes);
    this.#listener.onBody(part);
  }
}

/** @returns -1 for what is none */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function noHttp(what: string): HttpAnswerError {
  return new HttpAnswerError('no_http', `answers what is no HTTP: ${what}`);
}

function tooLong(maxBytes: number): HttpAnswerError {
  return new HttpAnswerError('too_long', `answers with more than ${maxBytes} bytes`);
}
