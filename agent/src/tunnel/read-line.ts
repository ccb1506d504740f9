import type { Duplex } from 'node:stream';

const LINE_FEED = 0x0a;

/**
 * Reads one line from a connection, and leaves what came behind it there.
 *
 * @throws where the connection ends first, or the line is longer than `maxBytes`
 */
export function readLine(socket: Duplex, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const settle = (): void => {
      socket.off('readable', onReadable).off('close', onClose).off('end', onClose);
    };
    const onClose = (): void => {
      settle();
      reject(new Error('the connection ended'));
    };
    const onReadable = (): void => {
      for (let chunk = take(socket); chunk !== null; chunk = take(socket)) {
        const end = chunk.indexOf(LINE_FEED);
        const part = end === -1 ? chunk : chunk.subarray(0, end);
        size += part.length;
        if (size > maxBytes) {
          settle();
          reject(new Error(`a line of more than ${maxBytes} bytes`));
          return;
        }
        parts.push(part);
        if (end === -1) continue;
        settle();
        const rest = chunk.subarray(end + 1);
        if (rest.length > 0) socket.unshift(rest);
        resolve(Buffer.concat(parts).toString('utf8'));
        return;
      }
    };
    socket.on('readable', onReadable).on('close', onClose).on('end', onClose);
    if (socket.destroyed) onClose();
    else onReadable();
  });
}

function take(socket: Duplex): Buffer | null {
  return socket.read() as Buffer | null;
}
