import { writeFileSync } from 'node:fs';
import { CliError, exitCodes } from './exit-codes.js';

export interface WriteOptions {
  readonly replace: boolean;
  /** What to do about a file that is there already. */
  readonly fix: string;
}

/** Writes a file; one that is there already is kept unless it is to be replaced. @throws {CliError} */
export function writeTextFile(file: string, text: string, { replace, fix }: WriteOptions): void {
  try {
    writeFileSync(file, text, { flag: replace ? 'w' : 'wx' });
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (exists) throw new CliError(exitCodes.refused, `${file} is there already, and is kept`, fix);
    const detail = error instanceof Error ? error.message : String(error);
    throw new CliError(exitCodes.failed, `cannot write ${file}: ${detail}`);
  }
}
