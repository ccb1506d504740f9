import type { HeldRequest } from '../route-types.js';
import { type Rank, rankOf } from './class-turns.js';
import type { Due } from './due-heap.js';

/** A request in the queue. Where it stands is `HoldLanes`' to say. */
export class HeldEntry implements Due {
  /** Rises: how old it is. */
  readonly id: number;
  readonly request: HeldRequest;
  readonly rank: Rank;
  /** Its patience ends. */
  dueAtMs: number;
  heapPlace = -1;
  /** `null`: it is not in the queue. */
  line: KeyLine | null = null;
  /** It waits only for prompts that are read first. */
  isPaced: boolean;
  /** Its client needs it no more, whatever is still to be told of it. */
  hasLeft = false;

  constructor(id: number, request: HeldRequest, isPaced: boolean) {
    this.id = id;
    this.request = request;
    this.isPaced = isPaced;
    this.rank = rankOf(request.requestClass);
    this.dueAtMs = request.patienceEndsAtMs;
  }
}

/** Those of one key and class in one lane, the oldest first. Never empty while it stands in its lane. */
export interface KeyLine {
  readonly party: Party;
  readonly lane: Lane;
  readonly rank: Rank;
  readonly entries: HeldEntry[];
  /** The line with the least goes next. Each new line, and each whose turn is spent, takes the greatest. */
  turn: number;
}

/** Requests that wait for the same targets of the same role: what serves one serves the other. */
export interface Lane extends Due {
  readonly name: string;
  readonly waitsFor: readonly string[];
  /** By class, each in the order of turns. */
  readonly lines: readonly [KeyLine[], KeyLine[], KeyLine[]];
  /** When it is to look again without an event; `Infinity`: never. */
  dueAtMs: number;
  /** The round in which one of it looked and waits on: the others have no better luck. */
  passedIn: number;
}

/** All that one key has waiting for one role. */
export interface Party {
  readonly role: string;
  readonly key: string;
  /** By class, each the oldest first. */
  readonly entries: readonly [HeldEntry[], HeldEntry[], HeldEntry[]];
  readonly lines: KeyLine[];
  count: number;
  bytes: number;
}

/** All that one key has waiting. */
export interface KeyShare {
  readonly key: string;
  readonly parties: Party[];
  count: number;
  bytes: number;
}

/** All that waits for one role. */
export interface RoleShare {
  readonly role: string;
  readonly parties: Map<string, Party>;
  readonly byClass: [number, number, number];
  count: number;
}

/** Puts one into its place by age. */
export function insertByAge(entries: HeldEntry[], entry: HeldEntry): void {
  const last = entries.at(-1);
  if (last === undefined || last.id < entry.id) entries.push(entry);
  else entries.splice(placeOf(entries, entry.id), 0, entry);
}

export function removeByAge(entries: HeldEntry[], entry: HeldEntry): void {
  const place = placeOf(entries, entry.id);
  if (entries[place] === entry) entries.splice(place, 1);
}

/** Where one of this age stands, or would. */
export function placeOf(entries: readonly HeldEntry[], id: number): number {
  let [from, to] = [0, entries.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((entries[middle] as HeldEntry).id < id) from = middle + 1;
    else to = middle;
  }
  return from;
}
