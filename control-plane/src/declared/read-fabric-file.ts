import { readFileSync, statSync } from 'node:fs';
import { type FabricFileResult, parseFabricText } from './parse-fabric-text.js';

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * A fabric file as declared state of revision 0, or everything that is wrong with it, a file that cannot be read
 * included. Never throws, changes nothing.
 */
export function readFabricFile(file: string): FabricFileResult {
  const read = readBytes(file);
  return 'problem' in read ? refusal(file, read.problem) : readFabricBytes(read.bytes, file);
}

/** The same of what was read already. @param file how errors name it */
export function readFabricBytes(bytes: Buffer, file: string): FabricFileResult {
  if (bytes.length > MAX_FILE_BYTES) return refusal(file, tooLarge(bytes.length));
  const text = decode(bytes);
  if (text === null) return refusal(file, 'expected UTF-8 text; save the file with that encoding');
  return parseFabricText(text, file);
}

function readBytes(file: string): { readonly bytes: Buffer } | { readonly problem: string } {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) return { problem: 'expected a file; this is a directory or a device' };
    if (stat.size > MAX_FILE_BYTES) return { problem: tooLarge(stat.size) };
    return { bytes: readFileSync(file) };
  } catch (error) {
    return { problem: explain(error) };
  }
}

function tooLarge(bytes: number): string {
  return `expected at most ${MAX_FILE_BYTES} bytes, found ${bytes}`;
}

function explain(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return 'there is no such file; name one that exists';
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return 'the file cannot be read; give the user that runs this program read access';
  }
  return `the file cannot be read (${String(code ?? error)})`;
}

function decode(bytes: Buffer): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

function refusal(file: string, message: string): FabricFileResult {
  return {
    ok: false,
    errors: [{ file, line: 1, column: 1, path: '(the whole file)', message }],
    moreErrors: 0,
  };
}
