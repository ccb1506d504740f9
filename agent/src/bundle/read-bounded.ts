import { open } from 'node:fs/promises';

/** The end of a file, from the beginning of a line. @throws the system's error */
export async function readEnd(
  path: string,
  maxBytes: number,
): Promise<{ readonly text: string; readonly isCut: boolean }> {
  const file = await open(path, 'r');
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is no file');
    const length = Math.min(stats.size, maxBytes);
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await file.read(bytes, 0, length, stats.size - length);
    const isCut = length < stats.size;
    const from = isCut ? bytes.indexOf(10) + 1 : 0;
    return {
      text: bytes.subarray(isCut && from === 0 ? bytesRead : from, bytesRead).toString('utf8'),
      isCut,
    };
  } finally {
    await file.close();
  }
}

const PIECE_BYTES = 64 * 1024;

/** A whole file, also one of the kernel's, which tell no size. @throws the system's error, or one that says that it is too long */
export async function readWhole(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, null);
      if (bytesRead === 0) return Buffer.concat(pieces).toString('utf8');
      bytes += bytesRead;
      if (bytes > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
      pieces.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
