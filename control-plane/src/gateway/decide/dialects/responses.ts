import { fieldStart, isField, memberOf, parseData } from '../read-event.js';
import { readAnyAnswerUsage, toAnyUsage, type Usage } from '../read-usage.js';
import { RESPONSES_ERRORS } from '../render-error.js';
import { readString, scanJsonMembers } from '../scan-json-members.js';
import type { Dialect, EventVerdict, StreamReader } from './dialect.js';

/** Of `/responses`: typed events, the last of which carries the whole response with its usage. */
export const RESPONSES: Dialect = {
  lastEvent: 'response.completed',
  errors: RESPONSES_ERRORS,
  mayBeText: false,
  createReader: () => new ResponsesReader(),
  readAnswerUsage: readAnyAnswerUsage,
  readAnswerId,
};

const ENDS: ReadonlyMap<string, EventVerdict> = new Map<string, EventVerdict>([
  ['response.completed', 'done'],
  ['response.incomplete', 'done'],
  ['response.failed', 'failed'],
  ['error', 'error'],
]);

class ResponsesReader implements StreamReader {
  readonly isFinished = false;
  answerId: string | null = null;
  #usage: Usage | null = null;

  read(bytes: Buffer, start: number, end: number): EventVerdict {
    const data = fieldStart(bytes, start, end, 'data:');
    if (isField(bytes, data, end, '[DONE]')) return 'done';
    const verdict = verdictOf(bytes, start, end);
    if (verdict === 'done' || verdict === 'failed') {
      const response = memberOf(parseData(bytes, start, end), 'response');
      this.#usage = toAnyUsage(memberOf(response, 'usage'));
      const id = memberOf(response, 'id');
      this.answerId = typeof id === 'string' ? id : null;
    }
    return verdict;
  }

  usage(): Usage | null {
    return this.#usage;
  }
}

function readAnswerId(bytes: Uint8Array): string | null {
  const scan = scanJsonMembers(bytes, ['id']);
  const id = scan.ok ? scan.found.at(-1) : undefined;
  return id === undefined ? null : (readString(bytes, id.start, id.end) ?? null);
}

/** By the event's name; an engine that leaves it out has the type in its data. */
function verdictOf(bytes: Buffer, start: number, end: number): EventVerdict {
  const at = fieldStart(bytes, start, end, 'event:');
  if (at < 0) {
    const type = memberOf(parseData(bytes, start, end), 'type');
    return (typeof type === 'string' && ENDS.get(type)) || 'data';
  }
  for (const [name, verdict] of ENDS) if (isField(bytes, at, end, name)) return verdict;
  return 'data';
}
