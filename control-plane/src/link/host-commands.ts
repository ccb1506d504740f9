import type { Command } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { Outcome } from './decide/link-lifecycle.js';
import {
  addCommand,
  expireCommands,
  type PendingCommand,
  type PendingCommands,
  settleCommand,
  voidCommands,
} from './decide/track-commands.js';

/** A command as it goes out. */
export interface OutgoingCommand {
  readonly commandId: string;
  readonly ttlMs: number;
  readonly command: Command;
}

/** What came of a command that somebody waits for. */
export type CommandEnd = Pick<Outcome, 'result' | 'code' | 'detail'>;

/** Nobody knows what came of it; it is not sent again. */
const VOID_ON_NEW_LINK = 'void_on_new_link';

/** The commands of all hosts that wait for an outcome: sent again on each new link until it comes or they expire. */
export class HostCommands {
  readonly #log: Logger;
  readonly #pending = new Map<string, PendingCommands>();
  readonly #idPrefix: string;
  /** Who waits for the outcome of a command. */
  readonly #waiters = new Map<string, (end: CommandEnd) => void>();
  #issued = 0;

  /** @param idPrefix random for each process: an agent knows the ids that it has carried out, across our restarts too */
  constructor(log: Logger, idPrefix: string) {
    this.#log = log;
    this.#idPrefix = idPrefix;
  }

  pendingCount(hostName: string): number {
    return this.#pending.get(hostName)?.length ?? 0;
  }

  /**
   * @param nowMs monotonic
   * @param onEnd called once, when its outcome is here or none will come
   */
  issue(
    hostName: string,
    command: Command,
    ttlMs: number,
    nowMs: number,
    onEnd?: (end: CommandEnd) => void,
  ): OutgoingCommand {
    this.#issued += 1;
    const commandId = `${this.#idPrefix}-${this.#issued}`;
    const next: PendingCommand = { commandId, command, expiresAtMs: nowMs + ttlMs };
    const { pending, dropped } = addCommand(this.#pending.get(hostName) ?? [], next);
    if (onEnd) this.#waiters.set(commandId, onEnd);
    for (const lost of dropped) this.#giveUp(hostName, lost, 'a command was given up: too many wait');
    this.#pending.set(hostName, pending);
    return { commandId, ttlMs: Math.max(1, Math.round(ttlMs)), command };
  }

  /** What a host that links again must be sent, with the time that each has left. */
  outstanding(hostName: string, nowMs: number): readonly OutgoingCommand[] {
    return (this.#pending.get(hostName) ?? [])
      .filter(({ expiresAtMs }) => expiresAtMs > nowMs)
      .map(({ commandId, command, expiresAtMs }) => ({
        commandId,
        command,
        ttlMs: Math.max(1, Math.round(expiresAtMs - nowMs)),
      }));
  }

  /** The link that they were sent on has ended: those that are of that link alone come to nothing. */
  linkEnded(hostName: string): void {
    const { pending, voided } = voidCommands(this.#pending.get(hostName) ?? []);
    if (voided.length === 0) return;
    this.#put(hostName, pending);
    const detail = 'the link that it was sent on has ended';
    for (const { commandId } of voided) {
      this.#tell(commandId, { result: 'expired', code: VOID_ON_NEW_LINK, detail });
    }
  }

  settle(hostName: string, outcome: Outcome): void {
    const { pending, settled } = settleCommand(this.#pending.get(hostName) ?? [], outcome);
    this.#put(hostName, pending);
    if (settled) this.#tell(settled.commandId, outcome);
    if (!settled || outcome.result === 'done') return;
    const { result, code, detail } = outcome;
    this.#log.warn(
      { host: hostName, command: settled.command.name, result, code, detail },
      'a command was not done',
    );
  }

  /** @returns the hosts that let one expire, once each */
  expire(nowMs: number): readonly string[] {
    const hosts: string[] = [];
    for (const [hostName, before] of this.#pending) {
      const { pending, expired } = expireCommands(before, nowMs);
      if (expired.length === 0) continue;
      hosts.push(hostName);
      for (const command of expired) this.#giveUp(hostName, command, 'a command expired without an outcome');
      this.#put(hostName, pending);
    }
    return hosts;
  }

  #put(hostName: string, pending: PendingCommands): void {
    if (pending.length > 0) this.#pending.set(hostName, pending);
    else this.#pending.delete(hostName);
  }

  #tell(commandId: string, { result, code, detail }: CommandEnd): void {
    this.#waiters.get(commandId)?.({ result, code, detail });
    this.#waiters.delete(commandId);
  }

  #giveUp(host: string, lost: PendingCommand, message: string): void {
    this.#tell(lost.commandId, { result: 'expired', code: null, detail: message });
    this.#log.warn({ host, command: lost.command.name, commandId: lost.commandId }, message);
  }
}
