import type { CommandOf } from '@ai-fabric/shared';
import type { CommandResult } from '../link/decide/command-book.js';

/** What becomes of a newer agent that the control plane tells of. */
export interface Upgrades {
  /** `done`: it is offered to the owner, or begun. */
  offer(offer: CommandOf<'offer_upgrade'>): Promise<CommandResult>;
}

/** An agent that was put where it is by hand is replaced by hand. */
export const notInstalled: Upgrades = {
  offer: ({ version }) =>
    Promise.resolve({
      result: 'refused',
      code: 'not_installed',
      detail: `This agent was not put here by "ai-fabric-agent install": put ${version} in its place as this one was.`,
    }),
};
