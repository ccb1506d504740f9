import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '@ai-fabric/shared';
import type { ToolEnd } from './decide/classify-tool-failure.js';
import type { NvidiaSmi } from './find-nvidia-smi.js';
import type { LeftTools } from './left-tools.js';
import { groupIsAlive, killGroup } from './process-group.js';

/** A running nvidia-smi, or a wrapper with nvidia-smi under it. */
export interface ToolProcess {
  /** On POSIX, with all that it started. */
  kill(): void;
  /** Lets go of it: it keeps neither this program alive nor its pipes open. Its end is still reported. */
  abandon(): void;
}

export interface ToolListener {
  /** The next piece of its standard output, cut anywhere. */
  onText(text: string): void;
  /** Once, when it and (on POSIX) all that it started are gone. What it said on standard error comes in `output`. */
  onEnd(end: ToolEnd): void;
}

export type StartTool = (tool: NvidiaSmi, args: readonly string[], listener: ToolListener) => ToolProcess;

const MAX_ERROR_TEXT = 2048;
/** A process outside of the group may hold the pipes of a tool that has ended: its last words get this long. */
const LAST_WORDS_MS = 1_000;
const GONE_POLL_MS = 50;
/** For one that does not die, which may be for ever. */
const ABANDONED_POLL_MS = 2_000;
/** The only way to kill what a wrapper started: killing a shell leaves its child alive, with the pipes in its hand. */
const HAS_GROUPS = process.platform !== 'win32';

/**
 * Starts nvidia-smi itself, without a shell, and ends it with this program. A failure to start is reported through
 * `onEnd`, never thrown.
 */
export function toolStarter(clock: Clock, left: Pick<LeftTools, 'started' | 'ended'>): StartTool {
  return (tool, args, listener) => {
    try {
      const child = spawn(tool.command, [...tool.leadingArgs, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        windowsHide: true,
        detached: HAS_GROUPS,
      });
      const { pid } = child;
      if (pid === undefined) return new RunningTool(child, listener, clock);
      left.started(pid, args);
      const onEnd = (end: ToolEnd): void => {
        left.ended(pid);
        listener.onEnd(end);
      };
      return new RunningTool(child, { onText: (text) => listener.onText(text), onEnd }, clock);
    } catch (error) {
      // Some failures are thrown at once: Windows refuses to start a script without a shell (EINVAL).
      const startError = (error as NodeJS.ErrnoException).code ?? String(error);
      queueMicrotask(() => listener.onEnd({ exitCode: null, signal: null, output: '', startError }));
      return { kill: () => undefined, abandon: () => undefined };
    }
  };
}

class RunningTool implements ToolProcess {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #listener: ToolListener;
  readonly #clock: Clock;
  #errorText = '';
  #ended = false;
  #abandoned = false;
  #lastWords: Timer | null = null;
  readonly #onProgramExit = (): void => this.kill();

  constructor(child: ChildProcessByStdio<null, Readable, Readable>, listener: ToolListener, clock: Clock) {
    this.#child = child;
    this.#listener = listener;
    this.#clock = clock;
    process.once('exit', this.#onProgramExit);
    child.stdout.setEncoding('utf8').on('data', (text: string) => listener.onText(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errorText = (this.#errorText + text).slice(-MAX_ERROR_TEXT);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      // Also emitted when a kill fails; then the process is still there and its end is still to come.
      if (child.pid === undefined) this.#end(null, null, error.code ?? error.message);
    });
    if (HAS_GROUPS) child.on('exit', () => this.#endFamily());
    // After the last text, or once it has ended where the pipes were let go.
    child.on('close', (code, signal) => this.#endWhenGone(code, signal));
  }

  kill(): void {
    const { pid } = this.#child;
    if (this.#ended || pid === undefined) return;
    if (HAS_GROUPS) killGroup(pid);
    else this.#child.kill('SIGKILL');
  }

  abandon(): void {
    this.#abandoned = true;
    this.#letPipesGo();
    this.#child.unref();
  }

  /** The wrapper has ended: nothing waits any more for what it left behind. */
  #endFamily(): void {
    this.kill();
    this.#lastWords = this.#clock.after(LAST_WORDS_MS, () => this.#letPipesGo());
  }

  /** One that hangs in the driver outlives its wrapper, and the kill: until it is gone nothing has ended. */
  #endWhenGone(code: number | null, signal: string | null): void {
    this.#lastWords?.cancel();
    const { pid } = this.#child;
    if (!HAS_GROUPS || pid === undefined || !groupIsAlive(pid)) {
      this.#end(code, signal, null);
      return;
    }
    const pollMs = this.#abandoned ? ABANDONED_POLL_MS : GONE_POLL_MS;
    this.#clock.after(pollMs, () => this.#endWhenGone(code, signal));
  }

  #letPipesGo(): void {
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  #end(exitCode: number | null, signal: string | null, startError: string | null): void {
    if (this.#ended) return;
    this.#ended = true;
    process.off('exit', this.#onProgramExit);
    this.#listener.onEnd({ exitCode, signal, output: this.#errorText, startError });
  }
}
