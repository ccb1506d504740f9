import { readFileSync } from 'node:fs';
import { type FabricFileResult, formatFabricErrors } from '../declared/parse-fabric-text.js';
import { readFabricBytes, readFabricFile } from '../declared/read-fabric-file.js';
import { CliError, exitCodes } from './exit-codes.js';

/**
 * A fabric file as the plain value that the API takes; checked here, where the lines are known.
 *
 * @param file `-` for standard input
 * @throws CliError with a line per mistake
 */
export function readDeclaredFile(file: string): unknown {
  const read = file === '-' ? readStandardInput() : readFabricFile(file);
  if (read.ok) return read.document;
  throw new CliError(exitCodes.refused, formatFabricErrors(read), 'mend the file; nothing was applied', {
    code: 'invalid',
    mistakes: read.errors,
  });
}

function readStandardInput(): FabricFileResult {
  if (!process.stdin.isTTY) return readFabricBytes(readFileSync(0), 'standard input');
  throw new CliError(exitCodes.usage, 'there is nothing on standard input', 'name a file, or pipe one in');
}
