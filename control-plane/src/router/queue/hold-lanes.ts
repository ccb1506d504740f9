import { REQUEST_CLASSES } from '../../declared/request-class.js';
import type { HeldGauge } from '../gauge-types.js';
import { ClassTurns, RANKS, type Rank } from './class-turns.js';
import type { QueueShares } from './decide/plan-displacement.js';
import { DueHeap } from './due-heap.js';
import {
  type HeldEntry,
  insertByAge,
  type KeyLine,
  type KeyShare,
  type Lane,
  type Party,
  type RoleShare,
  removeByAge,
} from './held-entry.js';

/** Those who wait for one target, among others. */
interface TargetQueue {
  readonly lanes: Lane[];
  readonly turns: ClassTurns;
  /** Lanes that hold somebody of each class. */
  readonly active: [number, number, number];
}

/**
 * Who is held, and whose turn it is. At each target classes take turns by their weights, in a class keys do, and a key's own requests
 * go in the order in which they came. Coming and leaving cost a few look-ups, however many there are. No clock and no bounds:
 * whoever has them asks first.
 */
export class HoldLanes implements QueueShares {
  readonly #lanes = new Map<string, Lane>();
  readonly #targets = new Map<string, TargetQueue>();
  readonly #keys = new Map<string, KeyShare>();
  readonly #roles = new Map<string, RoleShare>();
  readonly #ends = new DueHeap<HeldEntry>();
  readonly #looks = new DueHeap<Lane>();
  #count = 0;
  #bytes = 0;
  #lastTurn = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get keys(): ReadonlyMap<string, KeyShare> {
    return this.#keys;
  }

  get roles(): ReadonlyMap<string, RoleShare> {
    return this.#roles;
  }

  /** Every target that somebody waits for. */
  get targets(): readonly string[] {
    return [...this.#targets.keys()];
  }

  /** Whose patience ends first. */
  get firstToEnd(): HeldEntry | undefined {
    return this.#ends.first;
  }

  /** The lane that is to look again first. */
  get firstToLook(): Lane | undefined {
    return this.#looks.first;
  }

  /** Of this role, how many are of this class or a more urgent one. */
  countUpTo(role: string, rank: Rank): number {
    const byClass = this.#roles.get(role)?.byClass;
    if (byClass === undefined) return 0;
    let count = 0;
    for (const each of RANKS) if (each <= rank) count += byClass[each];
    return count;
  }

  gauges(): HeldGauge[] {
    return [...this.#roles.values()].flatMap(({ role, byClass }) =>
      RANKS.filter((rank) => byClass[rank] > 0).map((rank) => ({
        role,
        requestClass: REQUEST_CLASSES[rank],
        count: byClass[rank],
      })),
    );
  }

  /** @param lookAtMs when to look again without an event; those that came before it into its lane know better */
  join(entry: HeldEntry, waitsFor: readonly string[], lookAtMs: number): void {
    const party = this.#partyOf(entry);
    party.entries[entry.rank].push(entry);
    this.#tally(entry, party, +1);
    const lane = this.#laneOf(entry.request.role, waitsFor);
    this.#stand(entry, party, lane, this.#lastTurn + 1);
    if (lane.dueAtMs === Number.POSITIVE_INFINITY) this.#looks.move(lane, lookAtMs);
    this.#ends.add(entry);
  }

  /** Of one that is in the queue. */
  remove(entry: HeldEntry): void {
    const { line } = entry;
    if (line === null) return;
    this.#standNoMore(entry, line);
    this.#ends.remove(entry);
    const { party } = line;
    removeByAge(party.entries[entry.rank], entry);
    this.#tally(entry, party, -1);
    this.#forget(party);
  }

  /**
   * It got what it waited for, when this target had changed: its class and its key have had their turn, whatever other lanes of
   * this target the key waits in as well.
   */
  served(entry: HeldEntry, target: string): void {
    const { line } = entry;
    if (line === null) return;
    this.#targets.get(target)?.turns.spent(entry.rank);
    this.#lastTurn += 1;
    for (const { lines } of this.#keys.get(line.party.key)?.parties ?? []) {
      for (const each of lines) {
        if (each.rank === line.rank && each.lane.waitsFor.includes(target)) this.#hadTurn(each);
      }
    }
    // Of the key's own lanes it is the others' turn first.
    this.#lastTurn += 1;
    this.#hadTurn(line);
    this.remove(entry);
  }

  #hadTurn(line: KeyLine): void {
    line.turn = this.#lastTurn;
    const lines = line.lane.lines[line.rank];
    lines.splice(lines.indexOf(line), 1);
    lines.push(line);
  }

  /** It has looked, and waits on: perhaps for something else, or until another moment. It keeps its age and its key's turn. */
  waitsOn(entry: HeldEntry, waitsFor: readonly string[], lookAtMs: number, round: number): void {
    const { line } = entry;
    if (line === null) return;
    const { party, turn } = line;
    const lane = this.#laneOf(party.role, waitsFor);
    if (lane !== line.lane) {
      this.#standNoMore(entry, line);
      this.#stand(entry, party, lane, turn);
    }
    lane.passedIn = round;
    this.#looks.move(lane, lookAtMs);
  }

  /** A lane's moment has come. */
  looksNow(lane: Lane): void {
    this.#looks.move(lane, Number.POSITIVE_INFINITY);
  }

  /** Whose turn it is of those who wait for a target; lanes that were passed in this round are left out. */
  next(target: string, round: number): HeldEntry | null {
    const queue = this.#targets.get(target);
    if (queue === undefined) return null;
    let next: KeyLine | null = null;
    for (const rank of RANKS) {
      if (queue.active[rank] === 0) continue;
      if (next !== null && queue.turns.pointOf(rank) >= queue.turns.pointOf(next.rank)) continue;
      next = nextLine(queue.lanes, rank, round) ?? next;
    }
    return next?.entries[0] ?? null;
  }

  /** The lines of all that wait for any of these. */
  *competitors(waitsFor: readonly string[]): Iterable<KeyLine> {
    const seen = new Set<Lane>();
    for (const target of waitsFor) {
      for (const lane of this.#targets.get(target)?.lanes ?? []) {
        if (seen.has(lane)) continue;
        seen.add(lane);
        for (const lines of lane.lines) yield* lines;
      }
    }
  }

  #stand(entry: HeldEntry, party: Party, lane: Lane, turn: number): void {
    const { rank } = entry;
    let line = party.lines.find((each) => each.lane === lane && each.rank === rank);
    if (line === undefined) {
      line = { party, lane, rank, entries: [], turn };
      this.#lastTurn = Math.max(this.#lastTurn, turn);
      party.lines.push(line);
      const lines = lane.lines[rank];
      const place = lines.findLastIndex((each) => each.turn <= turn) + 1;
      lines.splice(place, 0, line);
      if (lines.length === 1) this.#activate(lane, rank, +1);
    }
    insertByAge(line.entries, entry);
    entry.line = line;
  }

  #standNoMore(entry: HeldEntry, line: KeyLine): void {
    removeByAge(line.entries, entry);
    entry.line = null;
    if (line.entries.length > 0) return;
    const { lane, party, rank } = line;
    party.lines.splice(party.lines.indexOf(line), 1);
    const lines = lane.lines[rank];
    lines.splice(lines.indexOf(line), 1);
    if (lines.length > 0) return;
    this.#activate(lane, rank, -1);
    if (lane.lines.every(({ length }) => length === 0)) this.#drop(lane);
  }

  #activate(lane: Lane, rank: Rank, by: 1 | -1): void {
    for (const target of lane.waitsFor) {
      const queue = this.#targets.get(target);
      if (queue === undefined) continue;
      if (by === 1 && queue.active[rank] === 0) queue.turns.began(rank);
      queue.active[rank] += by;
    }
  }

  #laneOf(role: string, waitsFor: readonly string[]): Lane {
    const name = `${role}\n${waitsFor.join('\n')}`;
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const dueAtMs = Number.POSITIVE_INFINITY;
    const lane: Lane = { name, waitsFor, lines: [[], [], []], dueAtMs, heapPlace: -1, passedIn: 0 };
    this.#lanes.set(name, lane);
    this.#looks.add(lane);
    for (const target of waitsFor) {
      let queue = this.#targets.get(target);
      if (queue === undefined) {
        queue = { lanes: [], turns: new ClassTurns(), active: [0, 0, 0] };
        this.#targets.set(target, queue);
      }
      queue.lanes.push(lane);
    }
    return lane;
  }

  #drop(lane: Lane): void {
    this.#lanes.delete(lane.name);
    this.#looks.remove(lane);
    for (const target of lane.waitsFor) {
      const queue = this.#targets.get(target);
      if (queue === undefined) continue;
      queue.lanes.splice(queue.lanes.indexOf(lane), 1);
      if (queue.lanes.length === 0) this.#targets.delete(target);
    }
  }

  #partyOf({ request: { role, key } }: HeldEntry): Party {
    let ofRole = this.#roles.get(role);
    if (ofRole === undefined) {
      ofRole = { role, parties: new Map(), byClass: [0, 0, 0], count: 0 };
      this.#roles.set(role, ofRole);
    }
    const known = ofRole.parties.get(key);
    if (known !== undefined) return known;
    const party: Party = { role, key, entries: [[], [], []], lines: [], count: 0, bytes: 0 };
    ofRole.parties.set(key, party);
    const share = this.#keys.get(key);
    if (share !== undefined) share.parties.push(party);
    else this.#keys.set(key, { key, parties: [party], count: 0, bytes: 0 });
    return party;
  }

  #tally({ request, rank }: HeldEntry, party: Party, by: 1 | -1): void {
    const bytes = by * request.bytes;
    this.#count += by;
    this.#bytes += bytes;
    party.count += by;
    party.bytes += bytes;
    const key = this.#keys.get(party.key);
    if (key !== undefined) {
      key.count += by;
      key.bytes += bytes;
    }
    const role = this.#roles.get(party.role);
    if (role === undefined) return;
    role.count += by;
    role.byClass[rank] += by;
  }

  #forget(party: Party): void {
    if (party.count > 0) return;
    const role = this.#roles.get(party.role);
    role?.parties.delete(party.key);
    if (role?.count === 0) this.#roles.delete(party.role);
    const key = this.#keys.get(party.key);
    key?.parties.splice(key.parties.indexOf(party), 1);
    if (key?.count === 0) this.#keys.delete(party.key);
  }
}

function nextLine(lanes: readonly Lane[], rank: Rank, round: number): KeyLine | null {
  let next: KeyLine | null = null;
  for (const { lines, passedIn } of lanes) {
    const first = passedIn === round ? undefined : lines[rank][0];
    if (first !== undefined && (next === null || first.turn < next.turn)) next = first;
  }
  return next;
}
