/** How full a listener is as a connection arrives, itself not counted. */
export interface ConnectionFacts {
  readonly open: number;
  readonly max: number;
  readonly reserve: number;
  /** From this very machine. */
  readonly isLocal: boolean;
}

/**
 * `take` it; take it into the `reserve`, where it may say whether it is an agent's or an operator's; or `refuse` it.
 * A quarter of the reserve is this machine's own, so that no flood from elsewhere locks its operator out.
 */
export function judgeConnection(facts: ConnectionFacts): 'take' | 'reserve' | 'refuse' {
  const { open, max, reserve, isLocal } = facts;
  if (open < max) return 'take';
  const mine = isLocal ? reserve : Math.floor((reserve * 3) / 4);
  return open < max + mine ? 'reserve' : 'refuse';
}

/** Whether so few places are left that slow clients get less time for their headers. */
export function isCrowded(open: number, max: number): boolean {
  return open > max * 0.8;
}
