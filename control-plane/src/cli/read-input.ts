import { CliError, exitCodes } from './exit-codes.js';

/** Standard input to its end. Not `readFileSync(0)`: on a pipe that is still empty that fails. @throws CliError */
export async function readInput(): Promise<Buffer> {
  if (process.stdin.isTTY) {
    throw new CliError(exitCodes.usage, 'there is nothing on standard input', 'name a file, or pipe one in');
  }
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
