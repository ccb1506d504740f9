import { countOf } from '@ai-fabric/shared';
import type { SmokeAnswer, SmokeOutcome, SmokeRequest, SmokeResult } from '../smoke-result.js';
import { readVerdicts } from './read-verdicts.js';

type Judgement = Pick<SmokeResult, 'outcome' | 'code' | 'what' | 'fix'> & {
  readonly dimensions?: number | null;
};
type Answered = Extract<SmokeAnswer, { kind: 'answered' }>;

/**
 * What an answer, or its lack, says of the role or alias that was asked.
 *
 * @param wake it was to wake who sleeps
 */
export function judgeSmoke(request: SmokeRequest, answer: SmokeAnswer, wake: boolean): SmokeResult {
  const { kind, name, task, stream } = request;
  const judgement = judge(request, answer, wake);
  const { host, replica } = answer.kind === 'answered' ? answer : { host: 'none', replica: 'none' };
  return {
    ...{ kind, name, task, stream, host, replica },
    latencyMs: answer.tookMs,
    dimensions: judgement.dimensions ?? null,
    outcome: judgement.outcome,
    code: judgement.code,
    what: judgement.what,
    fix: judgement.fix,
  };
}

function judge(request: SmokeRequest, answer: SmokeAnswer, wake: boolean): Judgement {
  if (answer.kind === 'failed') {
    return broken('no_answer', `no answer came: ${answer.detail}`, 'run: ai-fabric doctor');
  }
  if (answer.status !== 200) return judgeRefusal(request, answer, wake && request.wakes);
  if (request.task === 'embeddings') return judgeVector(request, answer);
  return request.stream ? judgeStream(answer) : judgeChat(answer);
}

function judgeChat(answer: Answered): Judgement {
  const choice = at(parse(answer.body), 'choices', 0);
  if (isText(at(choice, 'message', 'content')) || isCutShort(choice)) return ok('answered');
  return broken('empty_answer', 'the answer holds no text', 'look into the log of its engine');
}

function judgeStream(answer: Answered): Judgement {
  const events = answer.body
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length));
  const fix = 'look into the log of its engine';
  const error = events
    .map((event) => at(parse(event), 'error', 'message'))
    .find((text) => text !== undefined);
  if (error !== undefined) return broken('stream_failed', `the stream ended with: ${String(error)}`, fix);
  if (events.at(-1) !== '[DONE]') return broken('stream_cut', 'the stream has no end', fix);
  const hasText = events.some((event) => {
    const choice = at(parse(event), 'choices', 0);
    return isText(at(choice, 'delta', 'content')) || isCutShort(choice);
  });
  return hasText ? ok('streamed') : broken('empty_answer', 'the stream holds no text', fix);
}

function isText(content: unknown): boolean {
  return typeof content === 'string' && content !== '';
}

/** A model that thinks before it speaks may have used up its few tokens for that. */
function isCutShort(choice: unknown): boolean {
  return at(choice, 'finish_reason') === 'length';
}

function judgeVector(request: SmokeRequest, answer: Answered): Judgement {
  const vector = at(parse(answer.body), 'data', 0, 'embedding');
  if (!Array.isArray(vector) || vector.length === 0) {
    return broken('empty_answer', 'the answer holds no vector', 'look into the log of its engine');
  }
  const dimensions = vector.length;
  const { expectedDimensions } = request;
  if (expectedDimensions !== null && expectedDimensions !== dimensions) {
    const what = `its vector has ${countOf(dimensions, 'dimension')}, declared are ${expectedDimensions}`;
    const fix = 'the engine serves another model than every index was built with: put the right one back';
    return { ...broken('wrong_dimensions', what, fix), dimensions };
  }
  return { ...ok(`answered with ${countOf(dimensions, 'dimension')}`), dimensions };
}

/** Verdicts of targets that an operator has not to mend. */
const FOR_NOW: ReadonlySet<string> = new Set(['full', 'draining', 'yielded']);

function judgeRefusal(request: SmokeRequest, answer: Answered, isWoken: boolean): Judgement {
  const error = at(parse(answer.body), 'error');
  const code = String(at(error, 'code') ?? `status_${answer.status}`);
  const message = String(at(error, 'message') ?? `answered ${answer.status}`);
  if (isWoken && NOT_WOKEN.has(code)) return broken(code, message, 'run: ai-fabric hosts show HOST');
  const verdicts = readVerdicts(answer.reason);
  const ours = [...verdicts].filter(([target]) => request.deployments.has(target));
  const cloudWould = [...verdicts.values()].includes('local_only');
  const isAway = ([target, verdict]: readonly [string, string]) =>
    AWAY.has(verdict) && request.deployments.get(target)?.mayBeAway === true;
  const bad = ours.filter((each) => !isAway(each) && !FOR_NOW.has(each[1]));
  if (REFUSALS.has(code) && bad.length === 0) {
    const all = ours.length > 0 && ours.every(isAway);
    if (cloudWould) {
      const what = all ? 'away, as declared; the cloud would answer' : 'only the cloud would answer';
      return { outcome: 'skipped', code: 'local_only', what, fix: '--cloud asks it, and spends' };
    }
    if (all) return calm('away', 'host_away', 'away, as declared');
    if (ours.length > 0) return calm('skipped', code, `not now: ${describe(ours)}`);
  }
  return broken(code, message, 'run: ai-fabric doctor');
}

/** Codes of a wake that led to nothing. */
const NOT_WOKEN: ReadonlySet<string> = new Set(['host_asleep', 'waking']);
const AWAY: ReadonlySet<string> = new Set(['host_away', 'host_asleep']);
/** Codes that say that no target was there to be asked. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...['host_away', 'host_asleep', 'waking'],
  ...['no_capacity', 'not_ready', 'yielded', 'local_only'],
]);

function describe(verdicts: readonly (readonly [string, string])[]): string {
  return verdicts.map(([target, verdict]) => `${target} is ${verdict.replaceAll('_', ' ')}`).join(', ');
}

function ok(what: string): Judgement {
  return { outcome: 'ok', code: 'ok', what, fix: null };
}

function calm(outcome: SmokeOutcome, code: string, what: string): Judgement {
  return { outcome, code, what, fix: null };
}

function broken(code: string, what: string, fix: string): Judgement {
  return { outcome: 'broken', code, what, fix };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let inner: unknown = value;
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null) return undefined;
    inner = (inner as Readonly<Record<string | number, unknown>>)[key];
  }
  return inner;
}
