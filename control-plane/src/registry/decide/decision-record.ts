import {
  type CandidateVerdict,
  REQUEST_OUTCOMES,
  type RequestRow,
  type RouteRound,
} from '../request-types.js';

/** A record never takes more. */
export const MAX_RECORD_BYTES = 400;
/** Of each look; the chosen one is among them. */
const MAX_CANDIDATES = 16;
const HEAD_BYTES = 60;
const ROUND_BYTES = 5;
const CANDIDATE_BYTES = 8;
const NO_NAME = 0xffff;
const NO_COUNT = 0xffffffff;
const MOST_SMALL = 0xff;

/** What a record holds; rounds and candidates that found no room are counted in `consideredCount` alone. */
export interface DecisionRecord extends Omit<RequestRow, 'requestId'> {
  readonly consideredCount: number;
}

/** Names and codes have numbers from 0 to 65,534. */
export interface NameNumbers {
  numberOf(name: string): number;
  nameOf(number: number): string;
}

/**
 * Writes what is known of a request and of each look for a target, in codes. Of many rounds the last ones are kept, which tell
 * why it ended where it did.
 *
 * @returns where the record ends, at most `MAX_RECORD_BYTES` on
 */
export function writeDecision(to: DataView, start: number, row: RequestRow, names: NameNumbers): number {
  const { rounds } = row;
  to.setFloat64(start, row.endedAtMs);
  to.setUint16(start + 8, names.numberOf(row.key));
  to.setUint16(start + 10, names.numberOf(row.role));
  to.setUint16(start + 12, names.numberOf(row.target));
  to.setUint16(start + 14, names.numberOf(row.host));
  to.setUint16(start + 16, names.numberOf(row.endpoint));
  to.setUint16(start + 18, names.numberOf(row.reason));
  to.setUint8(start + 20, row.stream ? 1 : 0);
  to.setUint8(start + 21, REQUEST_OUTCOMES.indexOf(row.outcome));
  to.setUint16(start + 22, row.status ?? NO_NAME);
  to.setUint32(start + 24, countOrNone(row.promptTokens));
  to.setUint32(start + 28, countOrNone(row.completionTokens));
  to.setUint32(start + 32, countOrNone(row.cachedTokens));
  to.setFloat32(start + 36, row.ttftMs ?? Number.NaN);
  to.setFloat64(start + 40, row.totalMs);
  to.setFloat64(start + 48, row.queueMs);
  to.setUint8(start + 56, Math.min(row.attempts, MOST_SMALL));
  to.setUint16(start + 57, Math.min(countTargets(rounds), NO_NAME));
  const first = firstThatFits(rounds);
  to.setUint8(start + 59, rounds.length - first);
  let at = start + HEAD_BYTES;
  for (let index = first; index < rounds.length; index += 1) {
    at = writeRound(to, at, rounds[index] as RouteRound, names);
  }
  return at;
}

export function readDecision(from: DataView, start: number, names: NameNumbers): DecisionRecord {
  const name = (at: number): string => names.nameOf(from.getUint16(start + at));
  const status = from.getUint16(start + 22);
  const ttftMs = from.getFloat32(start + 36);
  const rounds: RouteRound[] = [];
  let at = start + HEAD_BYTES;
  for (let left = from.getUint8(start + 59); left > 0; left -= 1) {
    const round = readRound(from, at, names);
    rounds.push(round);
    at += ROUND_BYTES + round.considered.length * CANDIDATE_BYTES;
  }
  return {
    endedAtMs: from.getFloat64(start),
    ...{ key: name(8), role: name(10), target: name(12), host: name(14), endpoint: name(16) },
    reason: name(18),
    stream: from.getUint8(start + 20) === 1,
    outcome: REQUEST_OUTCOMES[from.getUint8(start + 21)] as RequestRow['outcome'],
    status: status === NO_NAME ? null : status,
    promptTokens: noneOrCount(from.getUint32(start + 24)),
    completionTokens: noneOrCount(from.getUint32(start + 28)),
    cachedTokens: noneOrCount(from.getUint32(start + 32)),
    ttftMs: Number.isNaN(ttftMs) ? null : ttftMs,
    totalMs: from.getFloat64(start + 40),
    queueMs: from.getFloat64(start + 48),
    attempts: from.getUint8(start + 56),
    consideredCount: from.getUint16(start + 57),
    rounds,
  };
}

function writeRound(to: DataView, start: number, round: RouteRound, names: NameNumbers): number {
  const { considered, failure } = round;
  const kept = keptOf(considered.length);
  to.setUint16(start, names.numberOf(round.reason));
  to.setUint16(start + 2, failure === null ? NO_NAME : names.numberOf(failure));
  to.setUint8(start + 4, kept);
  let at = start + ROUND_BYTES;
  // One that was chosen beyond the last place has that place.
  const chosen = kept === considered.length ? 0 : considered.findIndex(({ verdict }) => verdict === 'chosen');
  for (let place = 0; place < kept; place += 1) {
    const candidate = considered[place === kept - 1 && chosen >= kept ? chosen : place] as CandidateVerdict;
    to.setUint16(at, names.numberOf(candidate.target));
    to.setUint16(at + 2, names.numberOf(candidate.verdict));
    to.setFloat32(at + 4, candidate.costSeconds ?? Number.NaN);
    at += CANDIDATE_BYTES;
  }
  return at;
}

function readRound(from: DataView, start: number, names: NameNumbers): RouteRound {
  const failure = from.getUint16(start + 2);
  const considered = Array.from({ length: from.getUint8(start + 4) }, (_, place) => {
    const at = start + ROUND_BYTES + place * CANDIDATE_BYTES;
    const cost = from.getFloat32(at + 4);
    return {
      target: names.nameOf(from.getUint16(at)),
      verdict: names.nameOf(from.getUint16(at + 2)),
      costSeconds: Number.isNaN(cost) ? null : cost,
    };
  });
  return {
    reason: names.nameOf(from.getUint16(start)),
    considered,
    failure: failure === NO_NAME ? null : names.nameOf(failure),
  };
}

function countOrNone(count: number | null): number {
  return count === null ? NO_COUNT : Math.min(count, NO_COUNT - 1);
}

function noneOrCount(count: number): number | null {
  return count === NO_COUNT ? null : count;
}

function firstThatFits(rounds: readonly RouteRound[]): number {
  let left = MAX_RECORD_BYTES - HEAD_BYTES;
  let first = rounds.length;
  while (first > 0) {
    left -= ROUND_BYTES + keptOf(rounds[first - 1]?.considered.length ?? 0) * CANDIDATE_BYTES;
    if (left < 0) break;
    first -= 1;
  }
  return first;
}

function keptOf(considered: number): number {
  return Math.min(considered, MAX_CANDIDATES);
}

/** One that several rounds looked at counts once. */
function countTargets(rounds: readonly RouteRound[]): number {
  const [only] = rounds;
  if (only === undefined) return 0;
  if (rounds.length === 1) return only.considered.length;
  return new Set(rounds.flatMap(({ considered }) => considered.map(({ target }) => target))).size;
}
