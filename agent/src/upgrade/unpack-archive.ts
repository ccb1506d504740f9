import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Readable, Transform } from 'node:stream';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createInflateRaw } from 'node:zlib';
import { judgeFile, type ReleaseArtefact } from '@ai-fabric/shared';
import { takePlace } from '../identity/take-place.js';
import {
  findZipDirectory,
  readZipDirectory,
  readZipLocalHeader,
  ZIP_END_BYTES,
  ZIP_LOCAL_BYTES,
} from './decide/read-zip-directory.js';
import type { WantedFile } from './release-fetch.js';
import { UpgradeError } from './upgrade-error.js';

/**
 * Unpacks one file of an archive: no more than is expected, whatever the archive would give. It has its name when it is whole.
 *
 * @throws UpgradeError `damaged`, `no_space`
 */
export async function unpackArchive(
  compression: ReleaseArtefact['compression'],
  from: string,
  to: string,
  expected: WantedFile,
): Promise<void> {
  const beside = `${to}.new`;
  await rm(beside, { force: true });
  try {
    const [source, unpack] = await openPacked(compression, from, expected.name);
    await pipeline(
      source,
      unpack,
      proving(expected),
      createWriteStream(beside, { flags: 'wx', mode: 0o700 }),
    );
    // Windows lets only those who may write have a file written through.
    const file = await open(beside, 'r+');
    await file.sync().finally(() => file.close());
    await takePlace(beside, to);
  } catch (error) {
    await rm(beside, { force: true });
    if (error instanceof UpgradeError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
    const detail = `${expected.name} could not be unpacked: ${said}`;
    throw new UpgradeError(isFull ? 'no_space' : 'damaged', detail, error);
  }
}

/** Lets through what is expected, and ends with an error where it is anything else. */
function proving(expected: WantedFile): (source: AsyncIterable<Buffer>) => AsyncIterable<Buffer> {
  return async function* prove(source) {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const piece of source) {
      bytes += piece.length;
      if (bytes > expected.bytes) {
        throw new UpgradeError('damaged', `${expected.name} unpacks to more than the manifest says.`);
      }
      hash.update(piece);
      yield piece;
    }
    const fault = judgeFile(expected, { bytes, sha256: hash.digest('hex') });
    if (fault !== null) throw new UpgradeError('damaged', `What came is not the release: ${fault}.`);
  };
}

async function openPacked(
  compression: ReleaseArtefact['compression'],
  from: string,
  name: string,
): Promise<readonly [Readable, Transform]> {
  switch (compression) {
    case 'gzip':
      return [createReadStream(from), createGunzip()];
    case 'zip':
      return openZipped(from, name);
    case 'xz':
    case null:
      throw new UpgradeError(
        'wrong_platform',
        `What is packed as ${compression ?? 'nothing'} is not unpacked here.`,
      );
    default:
      return compression satisfies never;
  }
}

async function openZipped(from: string, name: string): Promise<readonly [Readable, Transform]> {
  const file = await open(from, 'r');
  try {
    const { size } = await file.stat();
    const endBytes = Math.min(size, ZIP_END_BYTES);
    const place = findZipDirectory(await read(file, size - endBytes, endBytes));
    const entries = place && readZipDirectory(await read(file, place.offset, place.bytes), place.entries);
    const entry = entries?.find((each) => each.name === name);
    const begins = entry && readZipLocalHeader(await read(file, entry.offset, ZIP_LOCAL_BYTES));
    if (entry === undefined || typeof begins !== 'number' || (entry.method !== 0 && entry.method !== 8)) {
      throw new UpgradeError('damaged', `The archive holds no ${name} that can be unpacked.`);
    }
    const start = entry.offset + begins;
    const packed = entry.packedBytes === 0 ? null : { start, end: start + entry.packedBytes - 1 };
    if (packed === null) throw new UpgradeError('damaged', `${name} is empty in the archive.`);
    return [createReadStream(from, packed), entry.method === 8 ? createInflateRaw() : new PassThrough()];
  } finally {
    await file.close();
  }
}

async function read(file: FileHandle, from: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, from);
  return buffer.subarray(0, bytesRead);
}
