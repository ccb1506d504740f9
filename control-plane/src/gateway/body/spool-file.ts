import { close, read, unlink, write } from 'node:fs';

/** Whose room a file takes. */
export interface SpoolRoom {
  /** @returns false, and takes nothing, where it would be too much */
  take(bytes: number): boolean;
  gone(bytes: number): void;
}

/** One body on the disk. It is closed when everybody who uses it has let go: a descriptor is soon somebody else's. */
export class SpoolFile {
  readonly #descriptor: number;
  readonly #room: SpoolRoom;
  readonly #path: string | null;
  #taken = 0;
  #written = 0;
  #users = 1;

  /** @param path where it still has a name, which goes with it */
  constructor(descriptor: number, room: SpoolRoom, path: string | null) {
    this.#descriptor = descriptor;
    this.#room = room;
    this.#path = path;
  }

  get length(): number {
    return this.#written;
  }

  /** @returns false where the bodies have as much as they may */
  reserve(bytes: number): boolean {
    if (!this.#room.take(bytes)) return false;
    this.#taken += bytes;
    return true;
  }

  /** One after the other; all of it is written, or it failed. */
  append(bytes: Uint8Array, done: (error: NodeJS.ErrnoException | null) => void): void {
    this.retain();
    const goOn = (from: number): void => {
      write(this.#descriptor, bytes, from, bytes.length - from, this.#written, (error, count) => {
        this.#written += error === null ? count : 0;
        if (error === null && from + count < bytes.length) return goOn(from + count);
        done(error);
        this.release();
      });
    };
    goOn(0);
  }

  read(
    into: Uint8Array,
    from: number,
    done: (error: NodeJS.ErrnoException | null, bytes: number) => void,
  ): void {
    this.retain();
    read(this.#descriptor, into, 0, into.length, from, (error, bytes) => {
      done(error, bytes);
      this.release();
    });
  }

  retain(): void {
    this.#users++;
  }

  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    close(this.#descriptor, () => {
      if (this.#path !== null) unlink(this.#path, () => undefined);
    });
    this.#room.gone(this.#taken);
  }
}
