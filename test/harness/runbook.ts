import { readFileSync } from 'node:fs';

export interface RunbookBlock {
  /** Of the fence's first line, to find it by. */
  readonly line: number;
  readonly commands: string;
  /** What it starts runs on until it is told to stop. */
  readonly stays: boolean;
}

/** Blocks that stand between fences marked `sh runbook`, in their order; indented ones without their indentation. */
export function readRunbook(file: string): RunbookBlock[] {
  const text = readFileSync(file, 'utf8');
  const fences = text.matchAll(/^( *)```sh runbook( stays)?\n([\s\S]*?)^\1```$/gm);
  return [...fences].map(({ index, 1: indent = '', 2: stays, 3: body = '' }) => ({
    line: text.slice(0, index).split('\n').length,
    stays: stays !== undefined,
    commands: body
      .split('\n')
      .map((line) => line.slice(indent.length))
      .join('\n'),
  }));
}
