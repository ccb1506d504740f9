import type { SmiAction } from './answer.js';
import { parseArguments, type SmiRequest } from './parse-arguments.js';

/** One run of a real nvidia-smi, word for word. */
export interface RecordedRun {
  readonly args: readonly string[];
  readonly text: string;
  readonly exitCode: number;
}

type QueryRequest = Extract<SmiRequest, { kind: 'query' }>;

/**
 * Says again what a real one said: the same question gets the same answer. A query may ask for the columns in another order,
 * for fewer, and for some of the cards; the fields that were not recorded are unknown to its driver.
 */
export function answerRecorded(
  runs: readonly RecordedRun[],
  request: SmiRequest,
  argv: readonly string[],
): SmiAction {
  const wanted = argv.join('\0');
  const same = runs.find(({ args }) => args.join('\0') === wanted);
  if (same !== undefined) return { kind: 'end', text: same.text, exitCode: same.exitCode };
  const alike = runs.map((run) => ({ run, asked: parseArguments(run.args) }));
  if (request.kind !== 'query') {
    const found = alike.find(({ asked }) => asked.kind === request.kind && asked.kind !== 'invalid');
    if (found !== undefined) return { kind: 'end', text: found.run.text, exitCode: found.run.exitCode };
    return { kind: 'end', text: `This was not recorded: ${argv.join(' ')}\n`, exitCode: 2 };
  }
  for (const { run, asked } of alike) if (asked.kind === 'query') return answerQuery(run, asked, request);
  return { kind: 'end', text: 'No query was recorded.\n', exitCode: 2 };
}

function answerQuery(run: RecordedRun, asked: QueryRequest, request: QueryRequest): SmiAction {
  const places = request.fields.map((field) => asked.fields.indexOf(field));
  const unknown = request.fields.find((_field, at) => places[at] === -1);
  if (unknown !== undefined) {
    return { kind: 'end', text: `Field "${unknown}" is not a valid field to query.\n\n`, exitCode: 2 };
  }
  if (run.exitCode !== 0) return { kind: 'end', text: run.text, exitCode: run.exitCode };
  const rows = run.text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(', '))
    .filter((row) => request.ids.length === 0 || request.ids.some((id) => row.includes(id)));
  const lines = rows.map((row) => `${places.map((place) => row[place] ?? '').join(', ')}\n`);
  const text = lines.join('');
  return request.periodMs === null ? { kind: 'end', text, exitCode: 0 } : { kind: 'print', text };
}
