import { RANKS } from '../class-turns.js';
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
  readonly key: string;
  readonly role: string;
  readonly bytes: number;
}

const NOBODY: readonly HeldEntry[] = [];

/**
 * Who must leave so that a newcomer finds a place: nobody while there is room, else the newest of the lowest class of the key that
 * has most of what is lacking. A newcomer's key must have less of it than that one even afterwards: equals do not push each other out.
 *
 * @returns `null`: there is no place
 */
export function planDisplacement(
  shares: QueueShares,
  newcomer: Newcomer,
  bounds: QueueBounds,
): readonly HeldEntry[] | null {
  const role = shares.roles.get(newcomer.role);
  const lacksInRole = role !== undefined && role.count >= bounds.mostPerRole;
  const lacksInAll = shares.count >= bounds.mostInAll;
  const lackingBytes = shares.bytes + newcomer.bytes - bounds.mostBytes;
  if (!lacksInRole && !lacksInAll && lackingBytes <= 0) return NOBODY;
  const leaving: HeldEntry[] = [];
  if (lacksInRole) {
    const own = role.parties.get(newcomer.key)?.count ?? 0;
    const greediest = greediestOf(role.parties.values(), countOf);
    if (greediest === null || own + 1 >= greediest.count) return null;
    leaving.push(...newestOf([greediest], 1));
  } else if (lacksInAll) {
    const own = shares.keys.get(newcomer.key)?.count ?? 0;
    const greediest = greediestOf(shares.keys.values(), countOf);
    if (greediest === null || own + 1 >= greediest.count) return null;
    leaving.push(...newestOf(greediest.parties, 1));
  }
  const freed = leaving.reduce((sum, { request }) => sum + request.bytes, 0);
  if (lackingBytes <= freed) return leaving;
  return leaving.length > 0 ? null : freeBytes(shares, newcomer, lackingBytes, bounds.mostDisplaced);
}

function freeBytes(
  shares: QueueShares,
  newcomer: Newcomer,
  lacking: number,
  most: number,
): readonly HeldEntry[] | null {
  const greediest = greediestOf(shares.keys.values(), bytesOf);
  if (greediest === null) return null;
  const own = (shares.keys.get(newcomer.key)?.bytes ?? 0) + newcomer.bytes;
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
