import { Readable } from 'node:stream';
import type { Splice } from '../decide/rewrite-body.js';
import type { SpoolFile } from './spool-file.js';

/** The body of a request that is too large to hold: read anew for each target that is asked. */
export interface BodySource {
  /** Bytes. */
  readonly length: number;
  /** Ends, or is destroyed by whoever reads it. */
  open(): Readable;
}

type Piece = { readonly start: number; readonly end: number } | { readonly text: string };

const READ_BYTES = 64 * 1024;

/** Bytes `[start, end)` of a file, with splices whose places count from `start`. */
export class SplicedSource implements BodySource {
  readonly length: number;
  readonly #file: SpoolFile;
  readonly #pieces: readonly Piece[];

  constructor(file: SpoolFile, start: number, end: number, splices: readonly Splice[]) {
    this.#file = file;
    const pieces: Piece[] = [];
    let from = start;
    let length = end - start;
    for (const splice of splices) {
      pieces.push({ start: from, end: start + splice.start }, { text: splice.text });
      from = start + splice.end;
      length += splice.text.length - (splice.end - splice.start);
    }
    pieces.push({ start: from, end });
    this.#pieces = pieces;
    this.length = length;
  }

  open(): Readable {
    return new PieceStream(this.#file, this.#pieces);
  }
}

class PieceStream extends Readable {
  readonly #file: SpoolFile;
  readonly #pieces: readonly Piece[];
  #next = 0;
  /** In the piece that is being read. */
  #at = 0;

  constructor(file: SpoolFile, pieces: readonly Piece[]) {
    super({ highWaterMark: READ_BYTES });
    file.retain();
    this.#file = file;
    this.#pieces = pieces;
  }

  override _read(): void {
    const piece = this.#pieces[this.#next];
    if (piece === undefined) {
      this.push(null);
      return;
    }
    if ('text' in piece) {
      this.#next++;
      this.push(piece.text, 'latin1');
      return;
    }
    const left = piece.end - piece.start - this.#at;
    if (left === 0) {
      this.#next++;
      this.#at = 0;
      this._read();
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, left));
    this.#file.read(buffer, piece.start + this.#at, (error, bytes) => {
      if (this.destroyed) return;
      if (error !== null || bytes === 0) {
        this.destroy(new Error(`a body could not be read from the disk: ${error?.message ?? 'it ends'}`));
        return;
      }
      this.#at += bytes;
      this.push(buffer.subarray(0, bytes));
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#file.release();
    done(error);
  }
}
