const BLOCK = 512;

/**
 * A file or folder of an archive, all of whose times, owners and groups are the same, so that the same input gives the
 * same archive.
 *
 * @typedef {object} TarMember
 * @property {string} name with forward slashes; a folder's without the last one
 * @property {boolean} folder
 * @property {number} mode as 0o755
 * @property {number} bytes
 */

/**
 * The block ahead of a member of a tar archive, in POSIX' ustar form.
 *
 * @param {TarMember} member
 * @param {number} mtimeSeconds since 1970
 * @returns {Buffer} of 512 bytes
 * @throws {Error} where the form has no room for the name
 */
export function tarHeader({ name, folder, mode, bytes }, mtimeSeconds) {
  const block = Buffer.alloc(BLOCK);
  const { prefix, rest } = splitName(folder ? `${name}/` : name);
  block.write(rest, 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(folder ? 0 : bytes, 11), 124);
  block.write(octal(mtimeSeconds, 11), 136);
  block.fill(' ', 148, 156);
  block.write(folder ? '5' : '0', 156);
  block.write('ustar\x0000', 257);
  block.write('root', 265);
  block.write('root', 297);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

/**
 * @param {number} bytes of a member
 * @returns {number} how many zeros follow it
 */
export function tarPadding(bytes) {
  return (BLOCK - (bytes % BLOCK)) % BLOCK;
}

/** What ends an archive. */
export const TAR_END_BYTES = 2 * BLOCK;

/**
 * @param {number} value
 * @param {number} digits
 */
function octal(value, digits) {
  const text = Math.floor(value).toString(8).padStart(digits, '0');
  if (text.length > digits) throw new Error(`a tar archive has no room for ${value}`);
  return text;
}

/**
 * A long name is split at one of its slashes.
 *
 * @param {string} name
 */
function splitName(name) {
  if (Buffer.byteLength(name) <= 100) return { prefix: '', rest: name };
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
    const prefix = name.slice(0, at);
    const rest = name.slice(at + 1);
    if (rest !== '' && Buffer.byteLength(rest) <= 100 && Buffer.byteLength(prefix) <= 155)
      return { prefix, rest };
  }
  throw new Error(`a tar archive has no room for the name ${name}`);
}
