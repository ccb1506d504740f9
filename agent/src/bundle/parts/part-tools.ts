import type { CapturedRun, CaptureRun } from '../../identity/run-tool.js';
import type { Findings, FoundFile } from '../findings.js';
import { readWhole } from '../read-bounded.js';

/** Settings and records are small; more than this is none of ours. */
const MAX_RECORD_BYTES = 1024 * 1024;

/** A file as it lies there; one that is not there, or may not be read, is told. @returns its text */
export async function takeFile(findings: Findings, name: string, path: string): Promise<string | null> {
  try {
    const text = await readWhole(path, MAX_RECORD_BYTES);
    findings.file({ name, text, source: path });
    return text;
  } catch (error) {
    findings.lack(name, `${path}: ${explainFailure(error)}`);
    return null;
  }
}

/** Why a file is not read, without its path. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : null;
  if (code === 'ENOENT') return 'it is not there';
  return code === 'EACCES' || code === 'EPERM' ? 'this account may not read it' : error.message;
}

/** What a program prints; one that says nothing, or cannot be started, is told. */
export async function takeOutput(
  findings: Findings,
  capture: CaptureRun,
  { name, file, args, maxBytes, signal, shape = (text) => text, keeps = 'first' }: ToolQuestion,
): Promise<string | null> {
  const run = await capture(file, args, { maxBytes, signal });
  const source = [file, ...args].join(' ');
  if (run.output === '') {
    findings.lack(name, `${source}: ${explain(run)}`);
    return null;
  }
  const text = shape(run.output);
  findings.file({ name, text, source, args, answer: run.exitCode, keeps, isCut: run.isCut });
  return text;
}

interface ToolQuestion {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly shape?: (text: string) => string;
  readonly keeps?: FoundFile['keeps'];
}

function explain({ startError, exitCode, errorText }: CapturedRun): string {
  if (startError !== null) return startError === 'ENOENT' ? 'there is no such program here' : startError;
  if (exitCode === 0) return 'it printed nothing';
  return `it ended with ${exitCode ?? 'a signal'}${errorText === '' ? '' : `: ${errorText.trim()}`}`;
}

/** A name as a part of a path in the archive. */
export function fileNameOf(name: string): string {
  return name.replaceAll(/[^\w.-]/g, '_').slice(0, 80) || '_';
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
