import type { CandidateVerdict, CountedVerdict, RouteRound } from '../request-types.js';

const MAX_ROUNDS = 8;
const MAX_CANDIDATES = 32;
const STEPS_PER_SECOND = 1000;
/** How a trail of this format begins. Before it, trails began with a reason, and had loads where now there are costs. */
const FORMAT = '2;';

/**
 * The verdicts over all candidates as a short text: `2;reason:target.verdict.cost,…,+verdict.count,…!failure;…`, names by
 * their numbers, numbers in base 36, costs in milliseconds. What is beyond the bounds is left out.
 *
 * @returns `null` where the row tells it all: one candidate that took it, or nothing looked for
 */
export function packTrail(rounds: readonly RouteRound[], numberOf: (name: string) => number): string | null {
  if (isTrivial(rounds)) return null;
  const number = (name: string): string => numberOf(name).toString(36);
  const candidate = ({ target, verdict, costSeconds }: CandidateVerdict): string => {
    const named = `${number(target)}.${number(verdict)}`;
    return costSeconds === null
      ? named
      : `${named}.${Math.round(costSeconds * STEPS_PER_SECOND).toString(36)}`;
  };
  const counted = ({ verdict, count }: CountedVerdict): string => `+${number(verdict)}.${count.toString(36)}`;
  const packed = rounds
    .slice(0, MAX_ROUNDS)
    .map(({ reason, considered, others = [], failure }) => {
      const told = considered.slice(0, MAX_CANDIDATES).map(candidate);
      const candidates = [...told, ...others.map(counted)].join(',');
      return `${number(reason)}:${candidates}${failure === null ? '' : `!${number(failure)}`}`;
    })
    .join(';');
  return FORMAT + packed;
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
