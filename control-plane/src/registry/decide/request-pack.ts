import {
  type CandidateVerdict,
  type CountedVerdict,
  REQUEST_OUTCOMES,
  type RequestRow,
  type RouteRound,
} from '../request-types.js';

/**
 * Rows of the request log in a few flat arrays. As objects they would outlive the young generation while they wait to
 * be written, and be copied three times on their way to the writing thread: a fifth of what a request costs.
 */
export interface RequestPack {
  readonly rowCount: number;
  /** `COLUMNS` for each row. */
  readonly numbers: Float64Array;
  /** For each round of each row: reason, failure, how many were considered, and of each target, verdict and cost. */
  readonly trails: Float64Array;
  /** What the numbers of names in both stand for. */
  readonly names: readonly string[];
  /** The requests' ids, one behind the other, in UTF-8. */
  readonly ids: Uint8Array;
}

/** Where a row has what. */
const COLUMN = {
  endedAtMs: 0,
  idBytes: 1,
  key: 2,
  role: 3,
  target: 4,
  host: 5,
  endpoint: 6,
  stream: 7,
  outcome: 8,
  status: 9,
  reason: 10,
  promptTokens: 11,
  completionTokens: 12,
  cachedTokens: 13,
  ttftMs: 14,
  totalMs: 15,
  queueMs: 16,
  attempts: 17,
  rounds: 18,
} as const;
const COLUMNS = Object.keys(COLUMN).length;
/** Stands for `null`: none of the columns can be that by itself. */
const NONE = Number.NaN;
/** Numbers of a round in front of its candidates. */
const ROUND_HEAD = 4;
const NO_OTHERS: readonly CountedVerdict[] = [];
const NO_FAILURE = -1;
/** In UTF-8, of one UTF-16 unit. */
const MAX_BYTES_PER_CHAR = 3;
const USUAL_ID_BYTES = 24;
const USUAL_TRAIL = 12;

/** Packs rows as they come. */
export class RequestPacker {
  readonly #capacity: number;
  readonly #numbers: Float64Array;
  #trails: Float64Array;
  #trailEnd = 0;
  #ids: Buffer;
  #idsEnd = 0;
  #rowCount = 0;
  readonly #names: string[] = [];
  readonly #numberOfName = new Map<string, number>();

  /** @param capacity in rows */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#numbers = new Float64Array(capacity * COLUMNS);
    this.#trails = new Float64Array(capacity * USUAL_TRAIL);
    this.#ids = Buffer.allocUnsafeSlow(capacity * USUAL_ID_BYTES);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get isFull(): boolean {
    return this.#rowCount >= this.#capacity;
  }

  /** Not when it is full. */
  add(row: RequestRow): void {
    const to = this.#numbers;
    const at = this.#rowCount * COLUMNS;
    this.#rowCount++;
    to[at + COLUMN.endedAtMs] = row.endedAtMs;
    to[at + COLUMN.idBytes] = this.#addId(row.requestId);
    to[at + COLUMN.key] = this.#name(row.key);
    to[at + COLUMN.role] = this.#name(row.role);
    to[at + COLUMN.target] = this.#name(row.target);
    to[at + COLUMN.host] = this.#name(row.host);
    to[at + COLUMN.endpoint] = this.#name(row.endpoint);
    to[at + COLUMN.stream] = row.stream ? 1 : 0;
    to[at + COLUMN.outcome] = REQUEST_OUTCOMES.indexOf(row.outcome);
    to[at + COLUMN.status] = row.status ?? NONE;
    to[at + COLUMN.reason] = this.#name(row.reason);
    to[at + COLUMN.promptTokens] = row.promptTokens ?? NONE;
    to[at + COLUMN.completionTokens] = row.completionTokens ?? NONE;
    to[at + COLUMN.cachedTokens] = row.cachedTokens ?? NONE;
    to[at + COLUMN.ttftMs] = row.ttftMs ?? NONE;
    to[at + COLUMN.totalMs] = row.totalMs;
    to[at + COLUMN.queueMs] = row.queueMs;
    to[at + COLUMN.attempts] = row.attempts;
    to[at + COLUMN.rounds] = row.rounds.length;
    for (const round of row.rounds) this.#addRound(round);
  }

  /** What was packed. Nothing may be added afterwards. */
  pack(): RequestPack {
    return {
      rowCount: this.#rowCount,
      numbers: this.#numbers.subarray(0, this.#rowCount * COLUMNS),
      trails: this.#trails.subarray(0, this.#trailEnd),
      names: this.#names,
      ids: this.#ids.subarray(0, this.#idsEnd),
    };
  }

  #addRound({ reason, considered, others = NO_OTHERS, failure }: RouteRound): void {
    const end = this.#trailEnd + ROUND_HEAD + 3 * considered.length + 2 * others.length;
    if (end > this.#trails.length) {
      const larger = new Float64Array(Math.max(end, 2 * this.#trails.length));
      larger.set(this.#trails);
      this.#trails = larger;
    }
    const to = this.#trails;
    let at = this.#trailEnd;
    to[at++] = this.#name(reason);
    to[at++] = failure === null ? NO_FAILURE : this.#name(failure);
    to[at++] = considered.length;
    to[at++] = others.length;
    for (const { target, verdict, costSeconds } of considered) {
      to[at++] = this.#name(target);
      to[at++] = this.#name(verdict);
      to[at++] = costSeconds ?? NONE;
    }
    for (const { verdict, count } of others) {
      to[at++] = this.#name(verdict);
      to[at++] = count;
    }
    this.#trailEnd = end;
  }

  #name(name: string): number {
    const known = this.#numberOfName.get(name);
    if (known !== undefined) return known;
    const number = this.#names.push(name) - 1;
    this.#numberOfName.set(name, number);
    return number;
  }

  /** @returns how many bytes it took */
  #addId(id: string): number {
    const end = this.#idsEnd + MAX_BYTES_PER_CHAR * id.length;
    if (end > this.#ids.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * this.#ids.length));
      larger.set(this.#ids);
      this.#ids = larger;
    }
    const bytes = this.#ids.write(id, this.#idsEnd, 'utf8');
    this.#idsEnd += bytes;
    return bytes;
  }
}

/** The rows of a pack, in their order. */
export function unpackRequests({ rowCount, numbers, trails, names, ids }: RequestPack): RequestRow[] {
  const idBytes = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength);
  const rows: RequestRow[] = [];
  let idAt = 0;
  let trailAt = 0;
  for (let row = 0; row < rowCount; row++) {
    const at = row * COLUMNS;
    const idEnd = idAt + numberAt(numbers, at + COLUMN.idBytes);
    const rounds: RouteRound[] = [];
    for (let left = numberAt(numbers, at + COLUMN.rounds); left > 0; left--) {
      const round = readRound(trails, trailAt, names);
      rounds.push(round);
      trailAt += ROUND_HEAD + 3 * round.considered.length + 2 * (round.others?.length ?? 0);
    }
    rows.push({
      endedAtMs: numberAt(numbers, at + COLUMN.endedAtMs),
      requestId: idBytes.toString('utf8', idAt, idEnd),
      key: nameAt(numbers, at + COLUMN.key, names),
      role: nameAt(numbers, at + COLUMN.role, names),
      target: nameAt(numbers, at + COLUMN.target, names),
      host: nameAt(numbers, at + COLUMN.host, names),
      endpoint: nameAt(numbers, at + COLUMN.endpoint, names),
      stream: numberAt(numbers, at + COLUMN.stream) === 1,
      outcome: REQUEST_OUTCOMES[numberAt(numbers, at + COLUMN.outcome)] as RequestRow['outcome'],
      status: orNull(numberAt(numbers, at + COLUMN.status)),
      reason: nameAt(numbers, at + COLUMN.reason, names),
      promptTokens: orNull(numberAt(numbers, at + COLUMN.promptTokens)),
      completionTokens: orNull(numberAt(numbers, at + COLUMN.completionTokens)),
      cachedTokens: orNull(numberAt(numbers, at + COLUMN.cachedTokens)),
      ttftMs: orNull(numberAt(numbers, at + COLUMN.ttftMs)),
      totalMs: numberAt(numbers, at + COLUMN.totalMs),
      queueMs: numberAt(numbers, at + COLUMN.queueMs),
      attempts: numberAt(numbers, at + COLUMN.attempts),
      rounds,
    });
    idAt = idEnd;
  }
  return rows;
}

function readRound(trails: Float64Array, start: number, names: readonly string[]): RouteRound {
  const reason = nameAt(trails, start, names);
  const failureNumber = numberAt(trails, start + 1);
  const failure = failureNumber === NO_FAILURE ? null : (names[failureNumber] as string);
  const considered: CandidateVerdict[] = [];
  let at = start + ROUND_HEAD;
  for (let left = numberAt(trails, start + 2); left > 0; left--, at += 3) {
    considered.push({
      target: nameAt(trails, at, names),
      verdict: nameAt(trails, at + 1, names),
      costSeconds: orNull(numberAt(trails, at + 2)),
    });
  }
  const otherCount = numberAt(trails, start + 3);
  if (otherCount === 0) return { reason, considered, failure };
  const others: CountedVerdict[] = [];
  for (let left = otherCount; left > 0; left--, at += 2) {
    others.push({ verdict: nameAt(trails, at, names), count: numberAt(trails, at + 1) });
  }
  return { reason, considered, others, failure };
}

function numberAt(numbers: Float64Array, at: number): number {
  return numbers[at] as number;
}

function nameAt(numbers: Float64Array, at: number, names: readonly string[]): string {
  return names[numbers[at] as number] as string;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
