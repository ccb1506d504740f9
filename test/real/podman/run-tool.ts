import { spawn } from 'node:child_process';

export interface RunToolOptions {
  readonly environment?: NodeJS.ProcessEnv;
  /** Ends it before its time. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end. @returns what it printed. @throws Error with what it complained of */
export function runTool(
  program: string,
  args: readonly string[],
  { environment = process.env, signal }: RunToolOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    // A group of its own: a terminal's Ctrl-C must not end what cleans up after it.
    const child = spawn(program, args, {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const end = (): void => void child.kill('SIGTERM');
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end);
    let output = '';
    let complaints = '';
    child.stdout.on('data', (piece: Buffer) => {
      output += piece.toString();
    });
    child.stderr.on('data', (piece: Buffer) => {
      complaints += piece.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      signal?.removeEventListener('abort', end);
      if (code === 0) resolve(output);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}: ${complaints.slice(-2_000)}`));
    });
  });
}
