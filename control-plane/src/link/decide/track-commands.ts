import type { Command } from '@ai-fabric/shared';
import type { Outcome } from './link-lifecycle.js';
import { MAX_PENDING_COMMANDS } from './link-limits.js';

/** A command without an outcome. */
export interface PendingCommand {
  readonly commandId: string;
  readonly command: Command;
  /** Monotonic: from here on it may no longer be begun. */
  readonly expiresAtMs: number;
}

/** The commands of one host that wait for their outcome, oldest first. */
export type PendingCommands = readonly PendingCommand[];

/** A newer wish or settings say all that older ones did; any other command is a deed of its own. @returns also what is given up for it */
export function addCommand(
  pending: PendingCommands,
  next: PendingCommand,
): { readonly pending: PendingCommands; readonly dropped: PendingCommands } {
  const { name } = next.command;
  const isWhole = name === 'apply_desired' || name === 'apply_yield_settings';
  const kept = pending.filter(({ command }) => !isWhole || command.name !== name);
  const dropped = kept.slice(0, Math.max(0, kept.length - (MAX_PENDING_COMMANDS - 1)));
  return { pending: [...kept.slice(dropped.length), next], dropped };
}

/** @returns also the command that the outcome is of; `null`: expired, replaced, or never ours */
export function settleCommand(
  pending: PendingCommands,
  outcome: Outcome,
): { readonly pending: PendingCommands; readonly settled: PendingCommand | null } {
  const settled = pending.find(({ commandId }) => commandId === outcome.commandId) ?? null;
  return { pending: settled ? pending.filter((other) => other !== settled) : pending, settled };
}

/** @param nowMs monotonic */
export function expireCommands(
  pending: PendingCommands,
  nowMs: number,
): { readonly pending: PendingCommands; readonly expired: PendingCommands } {
  const expired = pending.filter(({ expiresAtMs }) => expiresAtMs <= nowMs);
  if (expired.length === 0) return { pending, expired };
  return { pending: pending.filter(({ expiresAtMs }) => expiresAtMs > nowMs), expired };
}

/** What was meant for the machine as it was on one link: on the next one it would end what somebody runs there by then. */
const OF_ONE_LINK: ReadonlySet<Command['name']> = new Set<Command['name']>(['power']);

export function voidCommands(pending: PendingCommands): {
  readonly pending: PendingCommands;
  readonly voided: PendingCommands;
} {
  const voided = pending.filter(({ command }) => OF_ONE_LINK.has(command.name));
  if (voided.length === 0) return { pending, voided };
  return { pending: pending.filter((each) => !voided.includes(each)), voided };
}
