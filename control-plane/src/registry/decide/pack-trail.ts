import type { CandidateVerdict, RouteRound } from '../request-types.js';

const MAX_ROUNDS = 8;
const MAX_CANDIDATES = 32;
const LOAD_STEPS = 100;

/**
 * The verdicts over all candidates as a short text: `reason:target.verdict.load,…!failure;…`, names by their numbers,
 * numbers in base 36, loads in hundredths. What is beyond the bounds is left out.
 *
 * @returns `null` where the row tells it all: one candidate that took it, or nothing looked for
 */
export function packTrail(rounds: readonly RouteRound[], numberOf: (name: string) => number): string | null {
  if (isTrivial(rounds)) return null;
  const number = (name: string): string => numberOf(name).toString(36);
  const candidate = ({ target, verdict, load }: CandidateVerdict): string => {
    const named = `${number(target)}.${number(verdict)}`;
    return load === null ? named : `${named}.${Math.round(load * LOAD_STEPS).toString(36)}`;
  };
  return rounds
    .slice(0, MAX_ROUNDS)
    .map(({ reason, considered, failure }) => {
      const candidates = considered.slice(0, MAX_CANDIDATES).map(candidate).join(',');
      return `${number(reason)}:${candidates}${failure === null ? '' : `!${number(failure)}`}`;
    })
    .join(';');
}

export function unpackTrail(trail: string, nameOf: (number: number) => string): RouteRound[] {
  const name = (text: string | undefined): string => nameOf(Number.parseInt(text ?? '', 36));
  return trail.split(';').map((round) => {
    const [head = '', failure] = round.split('!');
    const [reason, candidates = ''] = head.split(':');
    return {
      reason: name(reason),
      considered: candidates
        .split(',')
        .filter((each) => each !== '')
        .map((each) => {
          const [target, verdict, load] = each.split('.');
          return {
            target: name(target),
            verdict: name(verdict),
            load: load === undefined ? null : Number.parseInt(load, 36) / LOAD_STEPS,
          };
        }),
      failure: failure === undefined ? null : name(failure),
    };
  });
}

function isTrivial(rounds: readonly RouteRound[]): boolean {
  const [first] = rounds;
  if (rounds.length > 1) return false;
  return first === undefined || (first.failure === null && first.considered.length <= 1);
}
