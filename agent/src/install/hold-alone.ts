import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { InstallRefusedError } from './install-errors.js';

const ANSWER_MS = 2_000;

/**
 * Keeps every other install and uninstall of this machine out while `work` goes on. A socket, and no file with a process
 * id: it dies with its process.
 *
 * @param path of a socket, or a pipe's name on Windows; `null`: this account changes nothing here
 * @throws InstallRefusedError where another one goes on
 */
export async function holdAlone<Value>(path: string | null, work: () => Promise<Value>): Promise<Value> {
  if (path === null) return work();
  if (await isHeld(path)) throw underWay();
  const isPipe = path.startsWith('\\\\');
  // What is left is of one that was killed.
  if (!isPipe) await rm(path, { force: true });
  const server = createServer((socket) => void socket.on('error', () => undefined).end());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      // A pipe that another account has may not even be looked at.
      reject(error.code === 'EADDRINUSE' || (isPipe && error.code === 'EACCES') ? underWay() : error),
    );
    server.listen(path, resolve);
  });
  try {
    return await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (held: boolean): void => {
      socket.destroy();
      resolve(held);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
    socket.setTimeout(ANSWER_MS, () => end(true));
  });
}

function underWay(): InstallRefusedError {
  const detail = 'Another install or uninstall of the agent goes on here.';
  const fix = 'Wait for its end, and run it again where it is still needed.';
  return new InstallRefusedError([{ code: 'install_under_way', detail, fix }]);
}
