export interface LengthSettings {
  /** Expected where nothing was learned. */
  readonly unknownTokens: number;
  /** Answers after which an earlier one counts half, in a role's record. */
  readonly halfLife: number;
  /** What a role's mean weighs against a key's own, in answers. */
  readonly roleWeight: number;
  /** A key's own record counts as at most so many answers. */
  readonly mostOwn: number;
  /** Keys that are remembered, all roles together. */
  readonly mostKeys: number;
}

/** Lengths of answers in buckets, each 1.4 times as long as the one before; changed in place. */
export interface LengthState {
  readonly counts: Float64Array;
  total: number;
}

/** Of one key within a role; changed in place. */
export interface KeyLength {
  mean: number;
  answers: number;
}

export const LENGTH_BUCKETS = 28;
const FACTOR = 1.4;
const LOG_FACTOR = Math.log(FACTOR);
/** The middle of each. */
const MIDDLE = Float64Array.from({ length: LENGTH_BUCKETS }, (_, bucket) => FACTOR ** (bucket + 0.5));

export function freshLengths(): LengthState {
  return { counts: new Float64Array(LENGTH_BUCKETS), total: 0 };
}

/** @param tokens of one answer, at least 1 */
export function learnLength(state: LengthState, tokens: number, settings: LengthSettings): void {
  const keep = 2 ** (-1 / settings.halfLife);
  const { counts } = state;
  for (let bucket = 0; bucket < LENGTH_BUCKETS; bucket++) counts[bucket] = (counts[bucket] as number) * keep;
  const bucket = bucketOf(tokens);
  counts[bucket] = (counts[bucket] as number) + 1;
  state.total = state.total * keep + 1;
}

export function learnKeyLength(state: KeyLength, tokens: number, settings: LengthSettings): void {
  state.answers = Math.min(settings.mostOwn, state.answers + 1);
  state.mean += (tokens - state.mean) / state.answers;
}

/**
 * The expected length of an answer: the role's lengths, stretched to what this key's answers are like, and cut at what
 * the client allows.
 *
 * @returns tokens, at least 1
 */
export function expectLength(
  key: KeyLength | null,
  role: LengthState | null,
  maxTokens: number | null,
  settings: LengthSettings,
): number {
  const most = maxTokens ?? Number.POSITIVE_INFINITY;
  const mean =
    role === null || role.total === 0 ? settings.unknownTokens : cutMean(role, 1, Number.POSITIVE_INFINITY);
  const own =
    key === null
      ? mean
      : (key.answers * key.mean + settings.roleWeight * mean) / (key.answers + settings.roleWeight);
  const expected = role === null || role.total === 0 ? Math.min(own, most) : cutMean(role, own / mean, most);
  return Math.min(most, Math.max(1, expected));
}

function cutMean({ counts, total }: LengthState, stretch: number, most: number): number {
  let sum = 0;
  for (let bucket = 0; bucket < LENGTH_BUCKETS; bucket++) {
    sum += (counts[bucket] as number) * Math.min(most, (MIDDLE[bucket] as number) * stretch);
  }
  return sum / total;
}

function bucketOf(tokens: number): number {
  const bucket = Math.floor(Math.log(Math.max(1, tokens)) / LOG_FACTOR + 1e-9);
  return Math.min(LENGTH_BUCKETS - 1, bucket);
}
