/** Where the optional header of a 64-bit program of Windows has its table of signatures. */
const CERTIFICATE_ENTRY = 112 + 4 * 8;
const PE32_PLUS = 0x20b;

/**
 * A program of Windows without its Authenticode signature: once something is put into it the signature is wrong, which
 * is worse than none.
 *
 * @param {Buffer} program
 * @returns {Buffer} the same where it is not signed
 * @throws {Error} where it is no 64-bit program of Windows
 */
export function stripSignature(program) {
  const pe = program.length >= 64 ? program.readUInt32LE(0x3c) : 0;
  const isProgram =
    program.toString('latin1', 0, 2) === 'MZ' &&
    program.length > pe + 24 + CERTIFICATE_ENTRY + 8 &&
    program.toString('latin1', pe, pe + 4) === 'PE\0\0' &&
    program.readUInt16LE(pe + 24) === PE32_PLUS;
  if (!isProgram) throw new Error('this is no 64-bit program of Windows');
  const entry = pe + 24 + CERTIFICATE_ENTRY;
  const offset = program.readUInt32LE(entry);
  const size = program.readUInt32LE(entry + 4);
  if (offset === 0 || size === 0) return program;
  // It is the last of the file; what does not end there is none that we know.
  if (offset + size !== program.length) throw new Error('the signature of this program is not at its end');
  const bare = Buffer.from(program.subarray(0, offset));
  bare.writeBigUInt64LE(0n, entry);
  return bare;
}
