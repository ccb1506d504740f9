import { type FabricFileResult, formatFabricErrors } from '../declared/parse-fabric-text.js';
import { readFabricBytes, readFabricFile } from '../declared/read-fabric-file.js';
import { CliError, exitCodes } from './exit-codes.js';
import { readInput } from './read-input.js';

/**
 * A fabric file as the plain value that the API takes; checked here, where the lines are known.
 *
 * @param file `-` for standard input
 * @throws CliError with a line per mistake
 */
export async function readDeclaredFile(file: string): Promise<unknown> {
  const read = file === '-' ? await readStandardInput() : readFabricFile(file);
  if (read.ok) return read.document;
  throw new CliError(exitCodes.refused, formatFabricErrors(read), 'mend the file; nothing was applied', {
    code: 'invalid',
    mistakes: read.errors,
  });
}

async function readStandardInput(): Promise<FabricFileResult> {
  return readFabricBytes(await readInput(), 'standard input');
}
