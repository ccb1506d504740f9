import type { CandidateVerdict, CountedVerdict, RouteRound } from '../request-types.js';

const MAX_ROUNDS = 8;
const MAX_CANDIDATES = 32;
const STEPS_PER_SECOND = 1000;
/** How a trail of this format begins. Before it, trails began with a reason, and had loads where now there are costs. */
const FORMAT = '2;';
const NO_OTHERS: readonly CountedVerdict[] = [];

/**
 * The verdicts over all candidates as a short text: `2;reason:target.verdict.cost,…,+verdict.count,…!failure;…`, names by
 * their numbers, numbers in base 36, costs in milliseconds. What is beyond the bounds is left out.
 *
 * @returns `null` where the row tells it all: one candidate that took it, or nothing looked for
 */
export function packTrail(rounds: readonly RouteRound[], numberOf: (name: string) => number): string | null {
  if (isTrivial(rounds)) return null;
  let trail = FORMAT;
  for (let index = 0; index < rounds.length && index < MAX_ROUNDS; index += 1) {
    if (index > 0) trail += ';';
    trail += packRound(rounds[index] as RouteRound, numberOf);
  }
  return trail;
}

function packRound(
  { reason, considered, others = NO_OTHERS, failure }: RouteRound,
  numberOf: (name: string) => number,
): string {
  let packed = `${base36(numberOf(reason))}:`;
  for (let index = 0; index < considered.length && index < MAX_CANDIDATES; index += 1) {
    const { target, verdict, costSeconds } = considered[index] as CandidateVerdict;
    if (index > 0) packed += ',';
    packed += `${base36(numberOf(target))}.${base36(numberOf(verdict))}`;
    if (costSeconds !== null) packed += `.${base36(Math.round(costSeconds * STEPS_PER_SECOND))}`;
  }
  for (const { verdict, count } of others) {
    if (!packed.endsWith(':')) packed += ',';
    packed += `+${base36(numberOf(verdict))}.${base36(count)}`;
  }
  return failure === null ? packed : `${packed}!${base36(numberOf(failure))}`;
}

function base36(number: number): string {
  return number.toString(36);
}

export function unpackTrail(trail: string, nameOf: (number: number) => string): RouteRound[] {
  const name = (text: string | undefined): string => nameOf(Number.parseInt(text ?? '', 36));
  const hasCosts = trail.startsWith(FORMAT);
  const rounds = hasCosts ? trail.slice(FORMAT.length) : trail;
  return rounds.split(';').map((round) => {
    const [head = '', failure] = round.split('!');
    const [reason, candidates = ''] = head.split(':');
    const parts = candidates.split(',').filter((each) => each !== '');
    const others = parts
      .filter((each) => each.startsWith('+'))
      .map((each) => {
        const [verdict, count = ''] = each.slice(1).split('.');
        return { verdict: name(verdict), count: Number.parseInt(count, 36) };
      });
    return {
      reason: name(reason),
      considered: parts
        .filter((each) => !each.startsWith('+'))
        .map((each) => {
          const [target, verdict, cost] = each.split('.');
          return {
            target: name(target),
            verdict: name(verdict),
            costSeconds: hasCosts && cost !== undefined ? Number.parseInt(cost, 36) / STEPS_PER_SECOND : null,
          };
        }),
      ...(others.length === 0 ? {} : { others }),
      failure: failure === undefined ? null : name(failure),
    };
  });
}

function isTrivial(rounds: readonly RouteRound[]): boolean {
  const [first] = rounds;
  if (rounds.length > 1) return false;
  return first === undefined || (first.failure === null && first.considered.length <= 1);
}
