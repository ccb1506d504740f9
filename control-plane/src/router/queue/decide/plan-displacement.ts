import { RANKS, type Rank } from '../class-turns.js';
import type { HeldEntry, KeyShare, Party, RoleShare } from '../held-entry.js';

export interface QueueBounds {
  readonly mostPerRole: number;
  readonly mostInAll: number;
  /** Of bodies that are kept for it. */
  readonly mostBytes: number;
  /** Requests that one newcomer may displace: more than one only where bytes are what is lacking. */
  readonly mostDisplaced: number;
}

/** What the queue holds, as far as a newcomer's place hangs on it. */
export interface QueueShares {
  readonly count: number;
  readonly bytes: number;
  readonly keys: ReadonlyMap<string, KeyShare>;
  readonly roles: ReadonlyMap<string, RoleShare>;
}

export interface Newcomer {
  readonly rank: Rank;
  readonly request: { readonly key: string; readonly role: string; readonly bytes: number };
}

const NOBODY: readonly HeldEntry[] = [];

/**
 * Who must leave so that a newcomer finds a place: nobody while there is room, else the newest of the lowest class of the key that
 * has most of what is lacking. A newcomer's key must have less of it than that one even afterwards: equals do not push each other out.
 * Where its own key is the greediest, a less urgent one of that key gives way to it.
 *
 * @returns `null`: there is no place
 */
export function planDisplacement(
  shares: QueueShares,
  newcomer: Newcomer,
  bounds: QueueBounds,
): readonly HeldEntry[] | null {
  const { key, role, bytes } = newcomer.request;
  const ofRole = shares.roles.get(role);
  const lackingBytes = shares.bytes + bytes - bounds.mostBytes;
  let leaving = NOBODY;
  if (ofRole !== undefined && ofRole.count >= bounds.mostPerRole) {
    const greediest = greediestOf(ofRole.parties.values(), countOf);
    leaving = giveWay(ofRole.parties.get(key), greediest, (party) => [party], newcomer.rank);
  } else if (shares.count >= bounds.mostInAll) {
    const greediest = greediestOf(shares.keys.values(), countOf);
    leaving = giveWay(shares.keys.get(key), greediest, ({ parties }) => parties, newcomer.rank);
  } else if (lackingBytes > 0) {
    return freeBytes(shares, newcomer, lackingBytes, bounds.mostDisplaced);
  } else return NOBODY;
  const [gone] = leaving;
  return gone !== undefined && lackingBytes <= gone.request.bytes ? leaving : null;
}

/** The one that leaves for one more of `own`, if any. */
function giveWay<Share extends { readonly count: number }>(
  own: Share | undefined,
  greediest: Share | null,
  partiesOf: (share: Share) => readonly Party[],
  rank: Rank,
): readonly HeldEntry[] {
  if (greediest !== null && (own?.count ?? 0) + 1 < greediest.count) return newestOf(partiesOf(greediest), 1);
  if (own === undefined) return NOBODY;
  return newestOf(partiesOf(own), 1).filter((entry) => entry.rank > rank);
}

function freeBytes(
  shares: QueueShares,
  newcomer: Newcomer,
  lacking: number,
  most: number,
): readonly HeldEntry[] | null {
  const greediest = greediestOf(shares.keys.values(), bytesOf);
  if (greediest === null) return null;
  const { key, bytes } = newcomer.request;
  const own = (shares.keys.get(key)?.bytes ?? 0) + bytes;
  const leaving: HeldEntry[] = [];
  let freed = 0;
  for (const entry of newestOf(greediest.parties, most)) {
    if (freed >= lacking) break;
    leaving.push(entry);
    freed += entry.request.bytes;
  }
  return freed >= lacking && own <= greediest.bytes - freed ? leaving : null;
}

/** The newest of the lowest class first. */
function newestOf(parties: readonly Party[], most: number): HeldEntry[] {
  const newest: HeldEntry[] = [];
  for (const rank of RANKS.toReversed()) {
    const ofClass = parties.flatMap(({ entries }) => entries[rank].slice(-most));
    ofClass.sort((a, b) => b.id - a.id);
    newest.push(...ofClass.slice(0, most - newest.length));
    if (newest.length >= most) break;
  }
  return newest;
}

function greediestOf<Share>(shares: Iterable<Share>, sizeOf: (share: Share) => number): Share | null {
  let greediest: Share | null = null;
  for (const share of shares) {
    if (greediest === null || sizeOf(share) > sizeOf(greediest)) greediest = share;
  }
  return greediest;
}

const countOf = ({ count }: { readonly count: number }): number => count;
const bytesOf = ({ bytes }: { readonly bytes: number }): number => bytes;
