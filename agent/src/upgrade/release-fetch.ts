import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { type Clock, judgeFile } from '@ai-fabric/shared';
import { dialPinnedTls, type PinnedAddress } from '../link/dial-pinned-tls.js';
import { LinkError } from '../link/link-failure.js';
import { UpgradeError } from './upgrade-error.js';

/** A file of the release, as its manifest names it. */
export interface WantedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Fetches what a control plane serves under `/install/`, from nobody but the holder of the pinned certificate. */
export interface ReleaseFetch {
  /** @returns `null`: there is no such file @throws UpgradeError */
  small(name: string, maxBytes: number, signal: AbortSignal): Promise<Buffer | null>;
  /**
   * Into a file, which goes on where an earlier attempt ended. What is there when it resolves is what was wanted.
   *
   * @throws UpgradeError
   */
  large(wanted: WantedFile, path: string, signal: AbortSignal): Promise<void>;
}

export interface ReleaseFetchOptions {
  readonly address: PinnedAddress;
  readonly clock: Clock;
}

/** A connection on which nothing comes for so long is as good as none. */
const SILENT_MS = 30_000;
/** In a row, without a byte between. */
const MAX_FAILURES = 6;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const PIECE_BYTES = 256 * 1024;

export function releaseFetch({ address, clock }: ReleaseFetchOptions): ReleaseFetch {
  const ask = (name: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) =>
    askFor(address, clock, name, headers, signal);
  /** Tries again for as long as it may help. @param work resolves to whether it was brought further */
  const insist = async <Result>(
    signal: AbortSignal,
    work: (noteProgress: () => void) => Promise<Result>,
  ): Promise<Result> => {
    let failures = 0;
    for (;;) {
      try {
        return await work(() => {
          failures = 0;
        });
      } catch (error) {
        failures += 1;
        const explained = explain(error);
        if (signal.aborted || failures >= MAX_FAILURES || !explained.mayPass) throw explained.error;
        await pause(clock, Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS), signal);
      }
    }
  };
  return {
    small: (name, maxBytes, signal) =>
      insist(signal, async () => {
        const response = await ask(name, {}, signal);
        if (response.statusCode === 404) {
          response.destroy();
          return null;
        }
        mustBe(response, [200], name);
        return readBounded(response, name, maxBytes);
      }),
    large: (wanted, path, signal) =>
      insist(signal, async (noteProgress) => {
        const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
        try {
          await fill(file, wanted, (headers) => ask(wanted.name, headers, signal), noteProgress);
        } finally {
          await file.close();
        }
      }),
  };
}

async function askFor(
  address: PinnedAddress,
  clock: Clock,
  name: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const socket = await dialPinnedTls(address, clock, signal);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: address.host,
      port: address.port,
      path: `/install/${name}`,
      createConnection: () => socket,
      headers: { connection: 'close', ...headers },
      signal,
    });
    request.setTimeout(SILENT_MS, () => request.destroy(new Error('the control plane went silent')));
    request.on('response', resolve).on('error', reject).end();
  });
}

/** Goes on where the file ends; its beginning is hashed anew. */
async function fill(
  file: FileHandle,
  wanted: WantedFile,
  ask: (headers: Readonly<Record<string, string>>) => Promise<IncomingMessage>,
  noteProgress: () => void,
): Promise<void> {
  let hash = createHash('sha256');
  let at = await hashBeginning(file, wanted.bytes, hash);
  if (at < wanted.bytes) {
    const headers = at === 0 ? {} : { range: `bytes=${at}-`, 'if-range': `"${wanted.sha256}"` };
    const response = await ask(headers);
    const goesOn =
      response.statusCode === 206 && response.headers['content-range']?.startsWith(`bytes ${at}-`) === true;
    if (!goesOn) {
      mustBe(response, [200], wanted.name);
      await file.truncate(0);
      [hash, at] = [createHash('sha256'), 0];
    }
    for await (const piece of response as AsyncIterable<Buffer>) {
      if (at + piece.length > wanted.bytes) {
        throw new UpgradeError('damaged', `${wanted.name} is longer than the manifest says.`);
      }
      await file.write(piece, 0, piece.length, at);
      hash.update(piece);
      at += piece.length;
      noteProgress();
    }
    if (at < wanted.bytes) throw new Error('the connection ended early');
  }
  const fault = judgeFile(wanted, { bytes: at, sha256: hash.digest('hex') });
  if (fault !== null) {
    await file.truncate(0);
    throw new UpgradeError('damaged', `What came is not the release: ${fault}.`);
  }
  await file.sync();
}

/** @returns how much of it is there; nothing where it is too long to be a beginning */
async function hashBeginning(file: FileHandle, wantedBytes: number, hash: Hash): Promise<number> {
  const { size } = await file.stat();
  if (size > wantedBytes) {
    await file.truncate(0);
    return 0;
  }
  const piece = Buffer.alloc(PIECE_BYTES);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(piece, 0, Math.min(PIECE_BYTES, size - at), at);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
  return at;
}

async function readBounded(response: IncomingMessage, name: string, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBytes)
      throw new UpgradeError('release_refused', `${name} has more than ${maxBytes} bytes.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function mustBe(response: IncomingMessage, statuses: readonly number[], name: string): void {
  const status = response.statusCode ?? 0;
  if (statuses.includes(status)) return;
  response.destroy();
  if (status === 404) throw new UpgradeError('release_changed', `The control plane has no ${name} any more.`);
  throw new Error(`the control plane answered HTTP ${status} for ${name}`);
}

interface Explained {
  readonly error: Error;
  /** Trying again may help. */
  readonly mayPass: boolean;
}

function explain(error: unknown): Explained {
  if (error instanceof UpgradeError) return { error, mayPass: false };
  const { message } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOSPC')
    return { error: new UpgradeError('no_space', `The disk is full: ${message}`, error), mayPass: false };
  const mayPass = !(error instanceof LinkError && error.failure.code === 'pin_mismatch');
  return {
    error: new UpgradeError('unreachable', `The release could not be fetched: ${message}`, error),
    mayPass,
  };
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(delayMs, finish);
    signal.addEventListener('abort', finish, { once: true });
    if (signal.aborted) finish();
  });
}
