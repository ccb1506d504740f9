import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32, createGzip, deflateRaw, gzip } from 'node:zlib';
import { TAR_END_BYTES, tarHeader, tarPadding } from './decide/tar-header.mjs';
import { zipDirectory, zipLocalHeader } from './decide/zip-records.mjs';

/** The last percent would take three times as long. */
const LEVEL = { level: 6 };

/**
 * What an archive is made of: text or bytes, or a file.
 *
 * @typedef {object} Member
 * @property {string} name
 * @property {number} mode
 * @property {Buffer | { path: string }} content
 */

/**
 * @param {Buffer} content
 * @returns {Promise<Buffer>} the same for the same content: no name, no time
 */
export function gzipped(content) {
  return promisify(gzip)(content, LEVEL);
}

/**
 * @param {readonly { name: string, content: Buffer }[]} files
 * @param {Date} at
 * @returns {Promise<Buffer>}
 */
export async function zipped(files, at) {
  const parts = [];
  const members = [];
  let offset = 0;
  for (const { name, content } of files) {
    const packed = await promisify(deflateRaw)(content, LEVEL);
    const member = { name, crc32: crc32(content), bytes: content.length, packedBytes: packed.length };
    const head = zipLocalHeader(member, at);
    members.push({ member, offset });
    parts.push(head, packed);
    offset += head.length + packed.length;
  }
  return Buffer.concat([...parts, zipDirectory(members, offset, at)]);
}

/**
 * Writes an archive of files and of the folders that they lie in, all with one time.
 *
 * @param {string} file
 * @param {readonly Member[]} members
 * @param {number} mtimeSeconds
 */
export async function writeTarGzip(file, members, mtimeSeconds) {
  await pipeline(Readable.from(tarBlocks(members, mtimeSeconds)), createGzip(LEVEL), createWriteStream(file));
}

/**
 * @param {readonly Member[]} members
 * @param {number} mtimeSeconds
 */
async function* tarBlocks(members, mtimeSeconds) {
  for (const name of foldersOf(members)) {
    yield tarHeader({ name, folder: true, mode: 0o755, bytes: 0 }, mtimeSeconds);
  }
  for (const { name, mode, content } of members) {
    const bytes = Buffer.isBuffer(content) ? content.length : (await stat(content.path)).size;
    yield tarHeader({ name, folder: false, mode, bytes }, mtimeSeconds);
    if (Buffer.isBuffer(content)) yield content;
    else yield* createReadStream(content.path, { highWaterMark: 1 << 20 });
    yield Buffer.alloc(tarPadding(bytes));
  }
  yield Buffer.alloc(TAR_END_BYTES);
}

/**
 * @param {readonly Member[]} members
 * @returns {string[]} outermost first
 */
function foldersOf(members) {
  const folders = new Set();
  for (const { name } of members) {
    for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1))
      folders.add(name.slice(0, at));
  }
  return [...folders].sort();
}

/**
 * @param {string} path
 * @returns {Promise<{ bytes: number, sha256: string }>}
 */
export async function measureFile(path) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** @param {Buffer} content */
export function measureBytes(content) {
  return { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}
