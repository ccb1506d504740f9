import type { NvidiaSmi } from './find-nvidia-smi.js';
import type { StartTool, ToolProcess } from './tool-process.js';

/** What one run of nvidia-smi printed. */
export interface ToolCapture {
  readonly output: string;
  readonly errorText: string;
  /** `null` where a signal ended it, or it never started. */
  readonly exitCode: number | null;
  /** The operating system's code where it could not be started. */
  readonly startError: string | null;
  /** It printed more. */
  readonly isCut: boolean;
  /** It did not end in time: the driver hangs. */
  readonly hangs: boolean;
}

export interface CaptureToolOptions {
  readonly startTool: StartTool;
  readonly tool: NvidiaSmi;
  readonly args: readonly string[];
  readonly maxCharacters: number;
  /** It is killed then. */
  readonly signal: AbortSignal;
}

/** One run of nvidia-smi, word for word. Never rejects; one that cannot be killed is not waited for. */
export function captureTool({
  startTool,
  tool,
  args,
  maxCharacters,
  signal,
}: CaptureToolOptions): Promise<ToolCapture> {
  return new Promise((resolve) => {
    let output = '';
    let isCut = false;
    let process: ToolProcess | null = null;
    const stop = (hangs: boolean): void => {
      process?.kill();
      process?.abandon();
      finish({ output, errorText: '', exitCode: null, startError: null, isCut, hangs });
    };
    const onAbort = (): void => stop(true);
    const finish = (capture: ToolCapture): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(capture);
    };
    process = startTool(tool, args, {
      onText: (text) => {
        isCut ||= output.length + text.length > maxCharacters;
        output = (output + text).slice(0, maxCharacters);
        if (isCut) stop(false);
      },
      onEnd: ({ exitCode, startError, output: errorText }) =>
        finish({ output, errorText, exitCode, startError, isCut, hangs: false }),
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
