import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { ToolEnd } from './decide/classify-tool-failure.js';
import type { NvidiaSmi } from './find-nvidia-smi.js';

/** A running nvidia-smi. */
export interface ToolProcess {
  kill(): void;
  /** Lets go of it: it keeps neither this program alive nor its pipes open. Its end is still reported. */
  abandon(): void;
}

export interface ToolListener {
  /** The next piece of its standard output, cut anywhere. */
  onText(text: string): void;
  /** Once. What it said on standard error comes in `output`. */
  onEnd(end: ToolEnd): void;
}

export type StartTool = (tool: NvidiaSmi, args: readonly string[], listener: ToolListener) => ToolProcess;

const MAX_ERROR_TEXT = 2048;

/** Starts nvidia-smi itself, without a shell. A failure to start is reported through `onEnd`, never thrown. */
export const startToolProcess: StartTool = (tool, args, listener) => {
  try {
    return listen(
      spawn(tool.command, [...tool.leadingArgs, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        windowsHide: true,
      }),
      listener,
    );
  } catch (error) {
    // Some failures are thrown at once: Windows refuses to start a script without a shell (EINVAL).
    const startError = (error as NodeJS.ErrnoException).code ?? String(error);
    queueMicrotask(() => listener.onEnd({ exitCode: null, signal: null, output: '', startError }));
    return { kill: () => undefined, abandon: () => undefined };
  }
};

function listen(child: ChildProcessByStdio<null, Readable, Readable>, listener: ToolListener): ToolProcess {
  let errorText = '';
  let ended = false;
  const end = (exitCode: number | null, signal: string | null, startError: string | null): void => {
    if (ended) return;
    ended = true;
    listener.onEnd({ exitCode, signal, output: errorText, startError });
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => listener.onText(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(-MAX_ERROR_TEXT);
  });
  child.on('error', (error: NodeJS.ErrnoException) => {
    // Also emitted when a kill fails; then the process is still there and its end is still to come.
    if (child.pid === undefined) end(null, null, error.code ?? error.message);
  });
  // After the last text, or once it has ended where the pipes were let go.
  child.on('close', (code, signal) => end(code, signal, null));
  return {
    kill: () => void child.kill('SIGKILL'),
    abandon: () => {
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
    },
  };
}
