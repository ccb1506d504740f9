import type { Command, Outcome } from '@ai-fabric/shared';

/** A command that waits for its turn. */
interface QueuedCommand {
  readonly commandId: string;
  readonly command: Command;
  /** Monotonic: it may not be begun after. */
  readonly expiresAtMs: number;
}

interface RecordedOutcome {
  readonly outcome: Outcome;
  /**
   * The newest report that was sent before this outcome; an ack of a later one proves that the outcome arrived
   * too. `null`: not sent yet. `'arrived'`: known to be there.
   */
  readonly sent: number | null | 'arrived';
}

/** The commands of one control plane: what waits, what runs, and what came of the last ones. */
export interface CommandBook {
  readonly queue: readonly QueuedCommand[];
  readonly running: readonly QueuedCommand[];
  /** Oldest first. */
  readonly outcomes: readonly RecordedOutcome[];
}

/** What an executor says. */
export type CommandResult =
  | { readonly result: 'done' }
  | { readonly result: 'failed' | 'refused'; readonly code: string; readonly detail: string };

export const emptyCommandBook: CommandBook = { queue: [], running: [], outcomes: [] };

const MAX_QUEUE = 32;
const MAX_RUNNING = 32;
const MAX_OUTCOMES = 256;

/**
 * Takes in a command. One that was begun before is never begun again, however often it comes: where its outcome is
 * known it is told again.
 *
 * @param nowMs monotonic; a command's time to live counts from its arrival
 */
export function receiveCommand(
  book: CommandBook,
  arrived: { readonly commandId: string; readonly ttlMs: number; readonly command: Command },
  nowMs: number,
): { readonly book: CommandBook; readonly answer: Outcome | null } {
  const { commandId, ttlMs, command } = arrived;
  const known = book.outcomes.find(({ outcome }) => outcome.commandId === commandId);
  if (known) return { book, answer: known.outcome };
  const pending = [...book.running, ...book.queue].some((known) => known.commandId === commandId);
  if (pending) return { book, answer: null };
  if (book.queue.length >= MAX_QUEUE || book.running.length >= MAX_RUNNING) {
    const detail = `${book.queue.length} commands are waiting and ${book.running.length} are under way already`;
    return { book, answer: { commandId, result: 'refused', code: 'too_many_commands', detail } };
  }
  return {
    book: { ...book, queue: [...book.queue, { commandId, command, expiresAtMs: nowMs + ttlMs }] },
    answer: null,
  };
}

/**
 * The next command to run, and the outcomes of those whose time ran out before their turn. What changes replicas is
 * done one after the other; a neighbour's wake, or taking back what was asked, waits for none of it.
 */
export function beginCommand(
  book: CommandBook,
  nowMs: number,
): {
  readonly book: CommandBook;
  readonly begun: QueuedCommand | null;
  readonly expired: readonly Outcome[];
} {
  const atOnce = book.queue.find(({ command }) => !waitsItsTurn(command));
  if (atOnce !== undefined) return { ...begin(book, atOnce), expired: [] };
  if (book.running.some(({ command }) => waitsItsTurn(command))) return { book, begun: null, expired: [] };
  const first = book.queue.findIndex(({ expiresAtMs }) => nowMs <= expiresAtMs);
  const late = first === -1 ? book.queue : book.queue.slice(0, first);
  const begun = book.queue[late.length] ?? null;
  const expired = late.map(({ commandId }): Outcome => {
    return { commandId, result: 'expired', code: null, detail: 'its time ran out before it was begun' };
  });
  const rest = record({ ...book, queue: book.queue.slice(late.length) }, expired);
  return begun === null ? { book: rest, begun, expired } : { ...begin(rest, begun), expired };
}

/** The running command ended. */
export function finishCommand(
  book: CommandBook,
  commandId: string,
  result: CommandResult,
): { readonly book: CommandBook; readonly outcome: Outcome } {
  const outcome: Outcome =
    result.result === 'done'
      ? { commandId, result: 'done', code: null, detail: null }
      : {
          commandId,
          result: result.result,
          code: result.code.slice(0, 60),
          detail: result.detail.slice(0, 500),
        };
  const running = book.running.filter((known) => known.commandId !== commandId);
  return { book: record({ ...book, running }, [outcome]), outcome };
}

/** An outcome went out on the link, after the report `lastSeq`. */
export function markSent(book: CommandBook, commandId: string, lastSeq: number): CommandBook {
  return mapOutcomes(book, (entry) =>
    entry.outcome.commandId === commandId && entry.sent !== 'arrived' ? { ...entry, sent: lastSeq } : entry,
  );
}

/** The control plane has every report up to `seq`, and so all that was sent before them. */
export function markArrived(book: CommandBook, seq: number): CommandBook {
  return mapOutcomes(book, (entry) =>
    typeof entry.sent === 'number' && entry.sent < seq ? { ...entry, sent: 'arrived' } : entry,
  );
}

/** What a new link must be told again. */
export function unconfirmedOutcomes(book: CommandBook): readonly Outcome[] {
  return book.outcomes.filter(({ sent }) => sent !== 'arrived').map(({ outcome }) => outcome);
}

function waitsItsTurn({ name }: Command): boolean {
  return name === 'apply_desired' || name === 'remove_orphans';
}

function begin(book: CommandBook, begun: QueuedCommand): { book: CommandBook; begun: QueuedCommand } {
  const queue = book.queue.filter((queued) => queued !== begun);
  return { book: { ...book, queue, running: [...book.running, begun] }, begun };
}

function record(book: CommandBook, outcomes: readonly Outcome[]): CommandBook {
  const added = outcomes.map((outcome) => ({ outcome, sent: null }));
  return { ...book, outcomes: [...book.outcomes, ...added].slice(-MAX_OUTCOMES) };
}

function mapOutcomes(book: CommandBook, map: (entry: RecordedOutcome) => RecordedOutcome): CommandBook {
  const outcomes = book.outcomes.map(map);
  return outcomes.some((entry, at) => entry !== book.outcomes[at]) ? { ...book, outcomes } : book;
}
