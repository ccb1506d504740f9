import type { CommandOf, UpgradeReport } from '@ai-fabric/shared';
import type { CommandResult } from '../link/decide/command-book.js';
import type { Seen } from './health.js';

/** What becomes of a newer agent that the control plane tells of. */
export interface Upgrades {
  /** `done`: it is offered to the owner, or begun. */
  offer(offer: CommandOf<'offer_upgrade'>): Promise<CommandResult>;
}

/** The upgrades of an agent that was installed. */
export interface UpgradeDesk extends Upgrades {
  /** What is offered, under way or just ended; `null`: nothing. */
  report(): ToldUpgrade | null;
  /** The owner said yes to what is offered. */
  confirm(): void;
  linked(): void;
  unlinked(): void;
  /** What this agent finds of cards and container engine, whether it is news or not. */
  saw(seen: Seen): void;
  /** This agent is about to be replaced: whoever ends it starts the next one at once. */
  isBeingReplaced(): Promise<boolean>;
  close(): Promise<void>;
}

export interface ToldUpgrade extends UpgradeReport {
  /** Of the release that is offered. `null`: there is nothing that the owner could say yes to. */
  readonly manifestSha256: string | null;
}

/** An agent that was put where it is by hand is replaced by hand. */
export const notInstalled: UpgradeDesk = {
  offer: ({ version }) =>
    Promise.resolve({
      result: 'refused',
      code: 'not_installed',
      detail: `This agent was not put here by "ai-fabric-agent install": put ${version} in its place as this one was.`,
    }),
  report: () => null,
  confirm: () => undefined,
  linked: () => undefined,
  unlinked: () => undefined,
  saw: () => undefined,
  isBeingReplaced: () => Promise.resolve(false),
  close: () => Promise.resolve(),
};
