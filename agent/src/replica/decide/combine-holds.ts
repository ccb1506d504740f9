/** Who wants the cards back, whatever is declared. */
export type HoldReason = 'owner' | 'power' | 'parked' | 'repair' | 'leaving';

export interface HoldTerms {
  /** `park`: what can sleep sleeps, the rest is stopped. `stop`: all is stopped. Containers are kept either way. */
  readonly action: 'park' | 'stop';
  /** Open requests may take so long. */
  readonly drainSeconds: number;
}

/** What holds a replica down. */
export interface Hold extends HoldTerms {
  /** In words, a sentence. */
  readonly why: string;
}

const WORDS: Readonly<Record<HoldReason, string>> = {
  leaving: 'The agent is being uninstalled.',
  power: 'The host is about to sleep.',
  owner: 'The card is its owner’s for now.',
  parked: 'The host is parked.',
  repair: 'Its card does not work since the machine slept: it starts anew.',
};

/** What all reasons together ask for: the most thorough, and the shortest wait. `null`: nobody holds anything. */
export function combineHolds(holds: ReadonlyMap<HoldReason, HoldTerms>): Hold | null {
  const terms = [...holds.values()];
  const first = (['leaving', 'power', 'owner', 'parked', 'repair'] as const).find((reason) =>
    holds.has(reason),
  );
  if (first === undefined) return null;
  return {
    action: terms.some(({ action }) => action === 'stop') ? 'stop' : 'park',
    drainSeconds: Math.min(...terms.map(({ drainSeconds }) => drainSeconds)),
    why: WORDS[first],
  };
}
