import type { Clock, Command, Outcome } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import {
  beginCommand,
  type CommandResult,
  emptyCommandBook,
  finishCommand,
  markArrived,
  markSent,
  receiveCommand,
  unconfirmedOutcomes,
} from './decide/command-book.js';

/**
 * Carries a command out. What it throws is an outcome too: `failed`, `internal`.
 *
 * @param linkGone aborted when the link that the command came on is no more
 */
export type ExecuteCommand = (command: Command, linkGone: AbortSignal) => Promise<CommandResult>;

export interface CommandDeskOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly execute: ExecuteCommand;
  /** @returns the newest report sent before; `null` when there is no link */
  readonly send: (outcome: Outcome) => number | null;
}

/** Runs commands in their turn and sees to it that their outcomes arrive. */
export class CommandDesk {
  readonly #options: CommandDeskOptions;
  /** By command: the link that it came on. */
  readonly #cameOn = new Map<string, AbortSignal>();
  #book = emptyCommandBook;
  #link = new AbortController();

  constructor(options: CommandDeskOptions) {
    this.#options = options;
  }

  receive(arrived: { commandId: string; ttlMs: number; command: Command }): void {
    const { book, answer } = receiveCommand(this.#book, arrived, this.#options.clock.monotonicMs());
    this.#book = book;
    if (answer) this.#send(answer);
    else if (!this.#cameOn.has(arrived.commandId)) this.#cameOn.set(arrived.commandId, this.#link.signal);
    this.#runNext();
  }

  /** A command that this version does not understand: said at once, and not remembered. */
  refuse(commandId: string, detail: string): void {
    this.#send({ commandId, result: 'refused', code: 'invalid_command', detail: detail.slice(0, 500) });
  }

  linked(): void {
    for (const outcome of unconfirmedOutcomes(this.#book)) this.#send(outcome);
  }

  /** The link is no more. */
  down(): void {
    this.#link.abort();
    this.#link = new AbortController();
  }

  acked(seq: number): void {
    this.#book = markArrived(this.#book, seq);
  }

  #send(outcome: Outcome): void {
    this.#cameOn.delete(outcome.commandId);
    const lastSeq = this.#options.send(outcome);
    if (lastSeq !== null) this.#book = markSent(this.#book, outcome.commandId, lastSeq);
  }

  #runNext(): void {
    const { book, begun, expired } = beginCommand(this.#book, this.#options.clock.monotonicMs());
    this.#book = book;
    for (const outcome of expired) this.#send(outcome);
    if (begun === null) return;
    void this.#run(begun.commandId, begun.command);
    this.#runNext();
  }

  async #run(commandId: string, command: Command): Promise<void> {
    const { execute, log } = this.#options;
    let result: CommandResult;
    try {
      result = await execute(command, this.#cameOn.get(commandId) ?? AbortSignal.abort());
    } catch (error) {
      log.error({ err: error, command: command.name }, 'a command failed');
      result = { result: 'failed', code: 'internal', detail: `the agent could not do it: ${String(error)}` };
    }
    const { book, outcome } = finishCommand(this.#book, commandId, result);
    this.#book = book;
    this.#send(outcome);
    this.#runNext();
  }
}
