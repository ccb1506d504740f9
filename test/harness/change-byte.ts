import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';

/** Changes one bit in the middle of a file. */
export function changeByte(path: string): void {
  const file = openSync(path, 'r+');
  try {
    const at = Math.floor(statSync(path).size / 2);
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 1;
    writeSync(file, byte, 0, 1, at);
  } finally {
    closeSync(file);
  }
}
