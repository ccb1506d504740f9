import { createHash } from 'node:crypto';
import { chmod, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ai-fabric/shared';
import { type AgentStatus, agentStatusSchema } from './agent-status.js';

/** Another agent runs on the same state directory: two would take the link from each other for ever. */
export class StateInUseError extends Error {
  override readonly name = 'StateInUseError';
}

/** An agent may be there, but it cannot be asked. */
class StatusError extends Error {
  override readonly name = 'StatusError';
}

export interface StatusSocket {
  close(): Promise<void>;
}

const ASK_TIMEOUT_MS = 2_000;
const MAX_STATUS_LENGTH = 1024 * 1024;
/** The kernel's limit for a socket's path is 108 bytes on Linux, 104 on macOS. */
const MAX_PATH_BYTES = 100;
/** Far longer than a start takes to put its socket there. */
const LOCK_AGE_MS = 10_000;

/** What a running agent can be asked by whoever may use its state directory. */
export type StatusVerb = 'status' | 'yield' | 'unyield' | 'leave' | 'stay' | 'upgrade';

const VERBS: ReadonlySet<string> = new Set<StatusVerb>([
  'status',
  'yield',
  'unyield',
  'leave',
  'stay',
  'upgrade',
]);
/** Whoever says nothing for so long wants the status. */
const SAYS_NOTHING_MS = 300;
const LONGEST_VERB = 32;

/**
 * Answers `status`, and is the proof that this agent is the only one on its state directory: unlike a file with a
 * process id, a socket dies with its process.
 *
 * @throws StateInUseError naming the other's process
 */
export async function openStatusSocket(
  stateDirectory: string,
  platform: NodeJS.Platform,
  answer: (verb: StatusVerb) => AgentStatus | Promise<AgentStatus>,
): Promise<StatusSocket> {
  const path = socketPath(stateDirectory, platform);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    void answerOne(socket, answer);
  });
  await listenAlone(server, path, stateDirectory, platform);
  return {
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/**
 * Asks the agent of a state directory.
 *
 * @returns `null` when none runs
 * @throws StatusError when one may run, and cannot be asked
 */
export function askStatus(stateDirectory: string, platform: NodeJS.Platform): Promise<AgentStatus | null> {
  return askSocket(socketPath(stateDirectory, platform));
}

/**
 * Tells the agent of a state directory what its host's owner wants.
 *
 * @returns its status afterwards; `null` when none runs
 * @throws StatusError when one may run, and cannot be told
 */
export function askVerb(
  stateDirectory: string,
  platform: NodeJS.Platform,
  verb: StatusVerb,
): Promise<AgentStatus | null> {
  return askSocket(socketPath(stateDirectory, platform), verb);
}

async function answerOne(
  socket: Socket,
  answer: (verb: StatusVerb) => AgentStatus | Promise<AgentStatus>,
): Promise<void> {
  try {
    const status = await answer(await readVerb(socket));
    socket.end(`${JSON.stringify(status)}\n`);
  } catch {
    // What went wrong stands in the agent's log; whoever asked sees that there is no answer.
    socket.destroy();
  }
}

function readVerb(socket: Socket): Promise<StatusVerb> {
  return new Promise((resolve) => {
    let said = '';
    const finish = (): void => {
      socket.setTimeout(0).removeAllListeners('data').resume();
      const verb = said.trim();
      resolve(VERBS.has(verb) ? (verb as StatusVerb) : 'status');
    };
    socket.setEncoding('utf8').setTimeout(SAYS_NOTHING_MS, finish);
    socket.on('data', (piece: string) => {
      said += piece;
      if (said.includes('\n') || said.length > LONGEST_VERB) finish();
    });
    socket.once('close', finish);
  });
}

async function askSocket(path: string, verb: StatusVerb = 'status'): Promise<AgentStatus | null> {
  const text = await readSocket(path, verb);
  if (text === null) return null;
  const parsed = agentStatusSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new StatusError('The agent answered what this version does not understand: are both of one version?');
}

async function listenAlone(
  server: Server,
  path: string,
  stateDirectory: string,
  platform: NodeJS.Platform,
): Promise<void> {
  // A pipe's name may be had by several at once.
  if (platform === 'win32') await refuseSecond(path, stateDirectory);
  try {
    await listen(server, path);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw cannotListen(path, error);
    await refuseSecond(path, stateDirectory);
    if (platform === 'win32') throw stateInUse(stateDirectory, 'one that does not answer');
    await takeOver(server, path, stateDirectory);
  }
  if (platform !== 'win32') await chmod(path, 0o600);
}

/**
 * What is left is the file of an agent that was killed. One start at a time may remove it: a second one would remove
 * the socket that the first has put in its place.
 */
async function takeOver(server: Server, path: string, stateDirectory: string): Promise<void> {
  const lock = `${path}.lock`;
  const atOnce = 'one that starts at this moment';
  if (!(await makeLock(lock))) throw stateInUse(stateDirectory, atOnce);
  try {
    await refuseSecond(path, stateDirectory);
    await rm(path, { force: true });
    await listen(server, path);
  } catch (error) {
    throw codeOf(error) === 'EADDRINUSE' ? stateInUse(stateDirectory, atOnce) : error;
  } finally {
    await rm(lock, { force: true });
  }
}

/** @returns whether it is ours; one whose maker was killed meanwhile goes by its age */
async function makeLock(lock: string): Promise<boolean> {
  const made = await stat(lock).catch(() => null);
  if (made !== null && Math.abs(systemClock().nowMs() - made.mtimeMs) > LOCK_AGE_MS) {
    await rm(lock, { force: true });
  }
  try {
    await writeFile(lock, '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw cannotListen(lock, error);
  }
}

/** @throws StateInUseError when somebody listens there */
async function refuseSecond(path: string, stateDirectory: string): Promise<void> {
  const running = await askSocket(path).catch(() => 'silent' as const);
  if (running === null) return;
  throw stateInUse(
    stateDirectory,
    running === 'silent' ? 'one that does not answer' : `process ${running.pid}`,
  );
}

function stateInUse(stateDirectory: string, who: string): StateInUseError {
  return new StateInUseError(
    `An agent runs already on ${stateDirectory} (${who}). Stop it first, or give this one another directory with --state.`,
  );
}

function cannotListen(path: string, error: unknown): StatusError {
  return new StatusError(
    `The socket ${path} cannot be made (${codeOf(error)}). Choose a state directory on a local disk with --state: network and foreign file systems have no sockets.`,
    { cause: error },
  );
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function readSocket(path: string, verb: StatusVerb): Promise<string | null> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path);
    const fail = (why: string): void => {
      socket.destroy();
      reject(new StatusError(`The agent cannot be asked through ${path}: ${why}.`));
    };
    // A pipe of Windows lets accounts read that may not write: asking for the status takes no word.
    if (verb !== 'status' || !path.startsWith('\\\\')) socket.write(`${verb}\n`);
    socket.setEncoding('utf8').setTimeout(ASK_TIMEOUT_MS, () => fail('it does not answer'));
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.length > MAX_STATUS_LENGTH) fail('it answers without end');
    });
    socket.on('end', () => resolve(text));
    socket.on('error', (error) => {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(null);
      else if (code === 'EACCES' || code === 'EPERM')
        fail('permission denied; ask as the account that runs it');
      else fail(code);
    });
  });
}

function socketPath(stateDirectory: string, platform: NodeJS.Platform): string {
  const digest = createHash('sha256').update(stateDirectory.toLowerCase()).digest('hex').slice(0, 24);
  if (platform === 'win32') return `\\\\.\\pipe\\ai-fabric-agent-${digest}`;
  const path = join(stateDirectory, 'agent.sock');
  return Buffer.byteLength(path) <= MAX_PATH_BYTES ? path : join(tmpdir(), `ai-fabric-agent-${digest}.sock`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
