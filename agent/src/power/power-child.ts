import { type ChildProcess, spawn } from 'node:child_process';
import { tryStart } from '../identity/try-start.js';

export interface PowerChildOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** Called with each line that it prints, without its end. */
  readonly onLine?: (line: string) => void;
  /** Called once, however it came to its end: `detail` says how, with the last that it said on standard error. */
  readonly onEnd: (detail: string) => void;
}

/** A child that lives as long as its standard input is open: when this process ends, however, so does the child. */
export interface PowerChild {
  /** A line for it; one that is gone takes none. */
  tell(line: string): void;
  /** Closes its input, and kills what does not end by itself. */
  end(): void;
}

const END_WAIT_MS = 2_000;
const MAX_LINE = 4_096;
const MAX_ERROR_TEXT = 400;

export function startPowerChild({ file, args, onLine, onEnd }: PowerChildOptions): PowerChild {
  let errorText = '';
  let ended = false;
  const finish = (detail: string): void => {
    if (ended) return;
    ended = true;
    onEnd(detail);
  };
  const child = tryStart(
    () => spawn(file, [...args], { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true }),
    (error) => finish(error.message),
  );
  if (child === null) return { tell: () => undefined, end: () => undefined };
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(-MAX_ERROR_TEXT);
  });
  readLines(child, onLine ?? (() => undefined));
  child.on('error', (error) => finish(error.message));
  child.on('close', (code, signal) => {
    finish(`it ended (${signal ?? code})${errorText.trim() === '' ? '' : `: ${errorText.trim()}`}`);
  });
  return {
    tell: (line) => void child.stdin.write(`${line}\n`),
    end: () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), END_WAIT_MS);
      timer.unref();
      child.once('close', () => clearTimeout(timer));
    },
  };
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = (lines.pop() ?? '').slice(-MAX_LINE);
    for (const line of lines) onLine(line.slice(0, MAX_LINE));
  });
}
