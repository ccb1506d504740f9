import { closeSync, openSync, readSync } from 'node:fs';

/** A file of /proc that is read again and again. */
export interface ProcFile {
  /** Its text from the start, at most `maxBytes`; `null` when it cannot be read. */
  read(): string | null;
  close(): void;
}

/**
 * Keeps the file open: reading it again at offset 0 makes the kernel print it anew and costs a fifth of opening it
 * each time. The read is synchronous: nothing waits for a disk here.
 *
 * @param wholeFile false stops after the first piece, for files of which only the head matters
 */
export function procFile(path: string, maxBytes: number, wholeFile = true): ProcFile {
  const buffer = Buffer.allocUnsafeSlow(maxBytes);
  let descriptor: number | null = null;
  const close = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
  };
  return {
    read: () => {
      try {
        descriptor ??= openSync(path, 'r');
        return buffer.toString('latin1', 0, fill(descriptor, buffer, wholeFile));
      } catch {
        close();
        return null;
      }
    },
    close,
  };
}

/** The kernel hands a longer file out in pieces of a page or so. */
function fill(descriptor: number, buffer: Buffer, wholeFile: boolean): number {
  let filled = 0;
  for (;;) {
    const count = readSync(descriptor, buffer, filled, buffer.length - filled, filled);
    filled += count;
    if (count === 0 || filled === buffer.length || !wholeFile) return filled;
  }
}
