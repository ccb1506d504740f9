import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { UsageError } from './exit-codes.js';

/** A token has under 200 characters; what is longer is another file. */
const MAX_BYTES = 4_096;

/** The join token's text from a file, or from standard input for "-". @throws UsageError */
export async function readToken(file: string): Promise<string> {
  if (file.startsWith('aifj_')) {
    throw new UsageError(
      'A token on the command line can be read by others on this machine: write it to a file, or use --token-file - and standard input. Consider this one known, and make a new one.',
    );
  }
  const text = file === '-' ? await readStandardInput() : await readFileStart(file);
  if (text.trim() !== '') return text;
  throw new UsageError(`There is no token in ${file === '-' ? 'standard input' : file}.`);
}

async function readStandardInput(): Promise<string> {
  if (process.stdin.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const line = await terminal.question('Join token: ');
    terminal.close();
    return line;
  }
  let text = '';
  for await (const piece of process.stdin) {
    text += String(piece);
    // One line is a token; a pipe that stays open must not keep us waiting for its end.
    if (text.length > MAX_BYTES || text.trimStart().includes('\n')) break;
  }
  process.stdin.destroy();
  return text;
}

async function readFileStart(path: string): Promise<string> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The token file ${path} cannot be read (${error.code ?? error.message}).`);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    throw new UsageError(`The token file ${path} cannot be read (${String(error)}).`);
  } finally {
    await file.close();
  }
}
