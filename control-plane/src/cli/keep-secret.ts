import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { CliError, exitCodes } from './exit-codes.js';

/**
 * Makes a secret that is shown once, and writes it into a file for its owner alone where one is named. The file is
 * there before the secret is made: no secret is lost because its place cannot be written.
 *
 * @param out left out: nothing is written
 * @throws {CliError} where the file is there already or cannot be made; and what `make` throws, with no file left
 */
export async function keepSecret<Made>(
  out: string | undefined,
  make: () => Promise<Made>,
  secretOf: (made: Made) => string,
): Promise<Made> {
  if (out === undefined) return await make();
  reserve(out);
  try {
    const made = await make();
    writeFileSync(out, `${secretOf(made)}\n`);
    return made;
  } catch (error) {
    rmSync(out, { force: true });
    throw error;
  }
}

function reserve(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'EEXIST') {
      throw new CliError(exitCodes.refused, `${file} is there already`, 'name a file that is not there yet');
    }
    const fix = 'name a file in a directory that you may write';
    throw new CliError(exitCodes.failed, `${file}: cannot be written (${code})`, fix);
  }
}
