/** Where a file is in a ZIP archive. */
export interface ZipEntry {
  readonly name: string;
  /** 0: stored as it is; 8: deflated. */
  readonly method: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Of its local header. */
  readonly offset: number;
}

/** How much of an archive's end may hold the record that names its directory. */
export const ZIP_END_BYTES = 22 + 0xffff;
const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_ENTRIES = 64;
const MAX_DIRECTORY_BYTES = 64 * 1024;

export interface ZipDirectoryPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly entries: number;
}

/**
 * @param end the last bytes of the archive, `ZIP_END_BYTES` or all that it has
 * @returns where its directory is; `null`: it is none, or larger than any release's
 */
export function findZipDirectory(end: Buffer): ZipDirectoryPlace | null {
  for (let at = end.length - 22; at >= 0; at -= 1) {
    if (end.readUInt32LE(at) !== END) continue;
    const entries = end.readUInt16LE(at + 10);
    const bytes = end.readUInt32LE(at + 12);
    const offset = end.readUInt32LE(at + 16);
    return entries > MAX_ENTRIES || bytes > MAX_DIRECTORY_BYTES ? null : { entries, bytes, offset };
  }
  return null;
}

/** @returns `null`: it is damaged */
export function readZipDirectory(directory: Buffer, entries: number): readonly ZipEntry[] | null {
  const found: ZipEntry[] = [];
  let at = 0;
  for (let index = 0; index < entries; index += 1) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== ENTRY) return null;
    const nameBytes = directory.readUInt16LE(at + 28);
    const next = at + 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    if (next > directory.length) return null;
    found.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      method: directory.readUInt16LE(at + 10),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at = next;
  }
  return found;
}

/** Bytes of a local header without its name. */
export const ZIP_LOCAL_BYTES = 30;

/** @returns where its content begins, counted from the header; `null`: it is damaged */
export function readZipLocalHeader(header: Buffer): number | null {
  if (header.length < ZIP_LOCAL_BYTES || header.readUInt32LE(0) !== LOCAL) return null;
  return ZIP_LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
}
