/**
 * A file of a zip archive, as it lies in there.
 *
 * @typedef {object} ZipMember
 * @property {string} name ASCII, with forward slashes
 * @property {number} crc32 of the file
 * @property {number} bytes of the file
 * @property {number} packedBytes once deflated
 */

const FLAGS = 0;
const DEFLATED = 8;
const VERSION_NEEDED = 20;
const LIMIT = 0xffff_ffff;

/**
 * What stands ahead of a member's bytes.
 *
 * @param {ZipMember} member
 * @param {Date} at in UTC
 * @returns {Buffer}
 */
export function zipLocalHeader(member, at) {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x0403_4b50, 0);
  writeMember(head, 4, member, at);
  head.writeUInt16LE(0, 28);
  return Buffer.concat([head, Buffer.from(member.name)]);
}

/**
 * What ends an archive: where each member begins.
 *
 * @param {readonly { member: ZipMember, offset: number }[]} members
 * @param {number} offset where this begins
 * @param {Date} at in UTC
 * @returns {Buffer}
 */
export function zipDirectory(members, offset, at) {
  const entries = members.map((each) => zipDirectoryEntry(each.member, each.offset, at));
  const size = entries.reduce((sum, entry) => sum + entry.length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(within(offset), 16);
  return Buffer.concat([...entries, end]);
}

/**
 * @param {ZipMember} member
 * @param {number} offset
 * @param {Date} at
 */
function zipDirectoryEntry(member, offset, at) {
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x0201_4b50, 0);
  head.writeUInt16LE(VERSION_NEEDED, 4);
  writeMember(head, 6, member, at);
  head.writeUInt32LE(within(offset), 42);
  return Buffer.concat([head, Buffer.from(member.name)]);
}

/**
 * @param {Buffer} head
 * @param {number} from
 * @param {ZipMember} member
 * @param {Date} at
 */
function writeMember(head, from, { name, crc32, bytes, packedBytes }, at) {
  head.writeUInt16LE(VERSION_NEEDED, from);
  head.writeUInt16LE(FLAGS, from + 2);
  head.writeUInt16LE(DEFLATED, from + 4);
  head.writeUInt16LE(dosTime(at), from + 6);
  head.writeUInt16LE(dosDate(at), from + 8);
  head.writeUInt32LE(crc32, from + 10);
  head.writeUInt32LE(within(packedBytes), from + 14);
  head.writeUInt32LE(within(bytes), from + 18);
  head.writeUInt16LE(Buffer.byteLength(name), from + 22);
}

/** @param {Date} at */
function dosTime(at) {
  return (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
}

/** @param {Date} at */
function dosDate(at) {
  return ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
}

/** @param {number} value */
function within(value) {
  if (value >= LIMIT) throw new Error('a zip archive of this form has no room for 4 GiB');
  return value;
}
