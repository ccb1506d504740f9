import type { ToolEnd } from './decide/classify-tool-failure.js';
import { type GpuRow, parseGpuCsvLine } from './decide/parse-gpu-csv-line.js';
import type { QueryField } from './decide/plan-query-fields.js';
import { type LineRest, noLineRest, splitLines } from './decide/split-lines.js';

export interface ToolRunListener {
  onRow(row: GpuRow): void;
  onBadLine(text: string): void;
}

const MAX_OUTPUT = 4_096;

/** The text of one run of nvidia-smi: rows as they come, and the end of whatever was no row, for the diagnosis. */
export class ToolRun {
  readonly #fields: readonly QueryField[];
  readonly #listener: ToolRunListener;
  #rest: LineRest = noLineRest;
  #said = '';

  constructor(fields: readonly QueryField[], listener: ToolRunListener) {
    this.#fields = fields;
    this.#listener = listener;
  }

  take(text: string): void {
    const { lines, rest } = splitLines(this.#rest, text);
    this.#rest = rest;
    for (const line of lines) this.#takeLine(line);
  }

  /** The run's end, with what it said on standard output since its last row before what it said on standard error. */
  endWith(end: ToolEnd): ToolEnd {
    // An unfinished line may be half a row, whose last value would be wrong: it is words, never a reading.
    this.#say(this.#rest.text);
    this.#rest = noLineRest;
    return { ...end, output: `${this.#said}\n${end.output}`.trim() };
  }

  #takeLine(line: string): void {
    const row = parseGpuCsvLine(line, this.#fields);
    if (row === null) {
      this.#say(line);
      this.#listener.onBadLine(line);
      return;
    }
    this.#said = '';
    this.#listener.onRow(row);
  }

  #say(line: string): void {
    this.#said = `${this.#said}\n${line}`.slice(-MAX_OUTPUT);
  }
}
