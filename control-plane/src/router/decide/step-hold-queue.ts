/** A request in the queue. */
export interface HeldEntry {
  readonly id: number;
  /** Whose it is. */
  readonly key: string;
  /** What was asked for. */
  readonly role: string;
  /** The targets that it waits for. */
  readonly waitsFor: readonly string[];
  readonly bytes: number;
  /** Monotonic milliseconds: its patience ends. */
  readonly endsAtMs: number;
  /** Monotonic milliseconds: to look again without an event; `Infinity`: never. */
  readonly lookAtMs: number;
}

/** The requests of one key in one lane, the oldest first. Never empty. */
export interface KeyLine {
  readonly key: string;
  readonly entries: readonly HeldEntry[];
}

/** Requests that wait for the same targets of the same role: what serves one serves the other. Never empty. */
export interface Lane {
  readonly name: string;
  readonly waitsFor: readonly string[];
  /** The key whose turn it is comes first. */
  readonly keys: readonly KeyLine[];
}

export interface HoldQueue {
  /** The lane whose turn it is comes first. */
  readonly lanes: readonly Lane[];
  readonly perRole: ReadonlyMap<string, number>;
  readonly count: number;
  readonly bytes: number;
}

export interface HoldQueueBounds {
  readonly mostPerRole: number;
  readonly mostInAll: number;
  /** Of bodies that are kept for it. */
  readonly mostBytes: number;
}

export type HoldEvent =
  | { readonly kind: 'joined'; readonly entry: HeldEntry }
  /** It got what it waited for: its key and its lane have had their turn. */
  | { readonly kind: 'served'; readonly entry: HeldEntry }
  /** It gave up, was refused, or its patience is over: nobody's turn is spent. */
  | { readonly kind: 'left'; readonly entry: HeldEntry }
  /** It waits on, for something else or until another moment, at the head of its key. */
  | { readonly kind: 'waits'; readonly entry: HeldEntry; readonly now: HeldEntry };

export const emptyHoldQueue: HoldQueue = { lanes: [], perRole: new Map(), count: 0, bytes: 0 };

/** @returns the queue after the event, or `null`: the event has no place, as it is full or does not hold the entry */
export function stepHoldQueue(queue: HoldQueue, event: HoldEvent, bounds: HoldQueueBounds): HoldQueue | null {
  switch (event.kind) {
    case 'joined':
      return hasRoom(queue, event.entry, bounds) ? insert(queue, event.entry, 'behind') : null;
    case 'served':
      return remove(queue, event.entry, true);
    case 'left':
      return remove(queue, event.entry, false);
    case 'waits': {
      if (laneName(event.entry) === laneName(event.now)) return replace(queue, event.entry, event.now);
      const without = remove(queue, event.entry, false);
      return without === null ? null : insert(without, event.now, 'ahead');
    }
  }
}

/**
 * Whose turn it is among the lanes that something has changed for.
 *
 * @param woken targets that changed; `null`: anything may have
 * @param passed entries that were offered in this round and wait on: the rest of their lane has no better luck
 */
export function nextInTurn(
  queue: HoldQueue,
  woken: ReadonlySet<string> | null,
  passed: ReadonlySet<number>,
): HeldEntry | null {
  for (const lane of queue.lanes) {
    if (woken !== null && !lane.waitsFor.some((target) => woken.has(target))) continue;
    const head = lane.keys[0]?.entries[0];
    if (head !== undefined && !lane.keys.some(({ entries }) => passed.has(entries[0]?.id ?? -1))) return head;
  }
  return null;
}

/** Entries whose patience is over, the one that ran out first ahead. */
export function overdue(queue: HoldQueue, nowMs: number): HeldEntry[] {
  return allHeld(queue)
    .filter(({ endsAtMs }) => endsAtMs <= nowMs)
    .sort((a, b) => a.endsAtMs - b.endsAtMs || a.id - b.id);
}

/** Targets of the lanes that are to look again by now. The head looks for all: the rest has no better luck. */
export function dueTargets(queue: HoldQueue, nowMs: number): Set<string> {
  const targets = new Set<string>();
  for (const { lookAtMs, waitsFor } of heads(queue)) {
    if (lookAtMs <= nowMs) for (const target of waitsFor) targets.add(target);
  }
  return targets;
}

/** When time alone changes something; `Infinity`: it does not. */
export function nextMoment(queue: HoldQueue): number {
  let soonestMs = Number.POSITIVE_INFINITY;
  for (const { endsAtMs } of allHeld(queue)) soonestMs = Math.min(soonestMs, endsAtMs);
  for (const { lookAtMs } of heads(queue)) soonestMs = Math.min(soonestMs, lookAtMs);
  return soonestMs;
}

/** Whose turn it is in each lane. */
function heads({ lanes }: HoldQueue): HeldEntry[] {
  return lanes.flatMap(({ keys }) => keys[0]?.entries[0] ?? []);
}

export function allHeld(queue: HoldQueue): HeldEntry[] {
  return queue.lanes.flatMap(({ keys }) => keys.flatMap(({ entries }) => entries));
}

function laneName({ role, waitsFor }: HeldEntry): string {
  return [role, ...waitsFor].join('\n');
}

function hasRoom(queue: HoldQueue, entry: HeldEntry, bounds: HoldQueueBounds): boolean {
  return (
    queue.count < bounds.mostInAll &&
    (queue.perRole.get(entry.role) ?? 0) < bounds.mostPerRole &&
    queue.bytes + entry.bytes <= bounds.mostBytes
  );
}

function insert(queue: HoldQueue, entry: HeldEntry, place: 'ahead' | 'behind'): HoldQueue {
  const name = laneName(entry);
  const known = queue.lanes.find((lane) => lane.name === name);
  const lane: Lane = known ?? { name, waitsFor: entry.waitsFor, keys: [] };
  const line = lane.keys.find(({ key }) => key === entry.key);
  const keys =
    line === undefined
      ? [...lane.keys, { key: entry.key, entries: [entry] }]
      : lane.keys.map((each) =>
          each === line
            ? { key: each.key, entries: place === 'ahead' ? inOrder(each, entry) : [...each.entries, entry] }
            : each,
        );
  const next = { ...lane, keys };
  const lanes =
    known === undefined ? [...queue.lanes, next] : queue.lanes.map((each) => (each === known ? next : each));
  return { lanes, ...counted(queue, entry, +1) };
}

/** Into its place by age: who moves between lanes stays as old as it is. */
function inOrder({ entries }: KeyLine, entry: HeldEntry): HeldEntry[] {
  const at = entries.findIndex(({ id }) => id > entry.id);
  const place = at < 0 ? entries.length : at;
  return [...entries.slice(0, place), entry, ...entries.slice(place)];
}

function remove(queue: HoldQueue, entry: HeldEntry, isTurnSpent: boolean): HoldQueue | null {
  const name = laneName(entry);
  const lane = queue.lanes.find((each) => each.name === name);
  const line = lane?.keys.find(({ key }) => key === entry.key);
  if (lane === undefined || line === undefined || !line.entries.some(({ id }) => id === entry.id))
    return null;
  const entries = line.entries.filter(({ id }) => id !== entry.id);
  const keys = turned(lane.keys, line, entries.length === 0 ? null : { ...line, entries }, isTurnSpent);
  const lanes = turned(queue.lanes, lane, keys.length === 0 ? null : { ...lane, keys }, isTurnSpent);
  return { lanes, ...counted(queue, entry, -1) };
}

/** The list with `one` replaced by `next`, which goes to the end where its turn is spent; `null`: it goes altogether. */
function turned<Item>(
  list: readonly Item[],
  one: Item,
  next: Item | null,
  isTurnSpent: boolean,
): readonly Item[] {
  if (next === null) return list.filter((each) => each !== one);
  if (isTurnSpent) return [...list.filter((each) => each !== one), next];
  return list.map((each) => (each === one ? next : each));
}

function replace(queue: HoldQueue, before: HeldEntry, now: HeldEntry): HoldQueue | null {
  let isFound = false;
  const swap = (entry: HeldEntry): HeldEntry => {
    if (entry.id !== before.id) return entry;
    isFound = true;
    return now;
  };
  const name = laneName(before);
  const lanes = queue.lanes.map((lane) => {
    if (lane.name !== name) return lane;
    const keys = lane.keys.map((line) =>
      line.key === before.key ? { ...line, entries: line.entries.map(swap) } : line,
    );
    return { ...lane, keys };
  });
  return isFound ? { ...queue, lanes } : null;
}

function counted(
  queue: HoldQueue,
  entry: HeldEntry,
  by: 1 | -1,
): Pick<HoldQueue, 'perRole' | 'count' | 'bytes'> {
  const perRole = new Map(queue.perRole);
  const ofRole = (perRole.get(entry.role) ?? 0) + by;
  if (ofRole === 0) perRole.delete(entry.role);
  else perRole.set(entry.role, ofRole);
  return { perRole, count: queue.count + by, bytes: queue.bytes + by * entry.bytes };
}
