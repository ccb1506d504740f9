import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ContainerProgram, StartProgram } from './options.js';

export interface HostProgramOptions {
  /** Where a volume's files are on this machine; for the variable that names its place. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What a container runs instead of its image's own program, as a process of this machine. */
export function hostProgram({ variables }: HostProgramOptions): StartProgram {
  return (container): ContainerProgram => {
    const { entrypoint, argv } = container.wish;
    const [program = '', ...args] = [...entrypoint, ...argv];
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...container.environment, ...variables },
    });
    const written = [
      follow(child.stdout, (line) => container.log(line)),
      follow(child.stderr, (line) => container.log(line, 'stderr')),
    ];
    const ended = new Promise<number>((resolve) => {
      child.once('error', () => resolve(127));
      child.once('exit', (code) => resolve(code ?? 137));
    });
    // Its last words are in the log when it counts as ended.
    const exited = ended.then(async (exitCode) => {
      await Promise.all(written);
      return exitCode;
    });
    return {
      exited,
      terminate: () => void child.kill('SIGTERM'),
      kill: async () => {
        child.kill('SIGKILL');
        await exited;
      },
    };
  };
}

async function follow(stream: NodeJS.ReadableStream, write: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) write(`${line}\n`);
}
