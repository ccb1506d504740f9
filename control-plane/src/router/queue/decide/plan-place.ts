import { RANKS, type Rank, STRIDES } from '../class-turns.js';
import { type KeyLine, placeOf } from '../held-entry.js';

/** Who asks how it stands: one that is held, or a newcomer, which would come last of its key and its key last of all. */
export interface Asker {
  readonly role: string;
  readonly key: string;
  readonly rank: Rank;
  /** `null`: it is no more in the queue than anybody else outside. */
  readonly held: { readonly line: KeyLine; readonly id: number } | null;
}

/**
 * How many are expected to be served before it, where nobody comes or leaves: as many turns of each other key of its class as it
 * needs itself, and of the other classes what their weights give them meanwhile.
 *
 * @param competitors the lines of all that wait for any of the same targets
 */
export function countAhead(asker: Asker, competitors: Iterable<KeyLine>): number {
  const others: KeyLine[] = [];
  const waiting: [number, number, number] = [0, 0, 0];
  let own = asker.held === null ? 0 : placeOf(asker.held.line.entries, asker.held.id);
  let turn = asker.held?.line.turn ?? Number.POSITIVE_INFINITY;
  for (const line of competitors) {
    if (line.rank !== asker.rank) waiting[line.rank] += line.entries.length;
    else if (line === asker.held?.line) continue;
    else if (asker.held === null && line.party.role === asker.role && line.party.key === asker.key) {
      own += line.entries.length;
      turn = Math.min(turn, line.turn);
    } else others.push(line);
  }
  let ahead = own;
  for (const line of others) {
    ahead += Math.min(line.entries.length, own + (line.turn < turn ? 1 : 0));
  }
  return ahead + ofOtherClasses(ahead + 1, asker.rank, waiting);
}

/** Turns that other classes have until one class has had so many. */
function ofOtherClasses(turns: number, rank: Rank, waiting: readonly [number, number, number]): number {
  let ahead = 0;
  for (const other of RANKS) {
    if (other === rank) continue;
    const share = (turns * STRIDES[rank]) / STRIDES[other];
    ahead += Math.min(waiting[other], other < rank ? Math.floor(share) : Math.ceil(share) - 1);
  }
  return ahead;
}
