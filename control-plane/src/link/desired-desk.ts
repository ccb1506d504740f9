import type { Command } from '@ai-fabric/shared';
import type { DeclaredSource } from '../declared/declared-state.js';
import { APPLY_DESIRED_TTL_MS } from './decide/link-limits.js';
import { planDesired } from './decide/plan-desired.js';
import { planYieldSettings } from './decide/plan-yield-settings.js';
import type { LinkBook } from './link-book.js';
import type { LinkEntry } from './link-entry.js';
import type { LinkLog } from './link-log.js';

export interface DesiredDeskDeps {
  readonly declared: DeclaredSource;
  readonly links: LinkBook;
  readonly log: LinkLog;
  /** Sends a command on a link. */
  readonly issue: (entry: LinkEntry, hostName: string, command: Command, ttlMs: number) => void;
}

/** Tells agents what is declared of their hosts. */
export class DesiredDesk {
  readonly #deps: DesiredDeskDeps;

  constructor(deps: DesiredDeskDeps) {
    this.#deps = deps;
  }

  /** A host that has no link is told when it has. */
  tell(hostName: string): void {
    const { declared, links, log, issue } = this.#deps;
    const entry = links.of(hostName);
    if (!entry) return;
    const { command, leftOut } = planDesired(declared.current(), hostName, entry.protocolVersion);
    if (leftOut > 0) log.tooManyDesired(hostName, leftOut);
    issue(entry, hostName, command, APPLY_DESIRED_TTL_MS);
    this.#tellYieldSettings(hostName, entry);
  }

  /** It was not heard in time: all of it is told again. */
  tellAgain(hostName: string): void {
    const entry = this.#deps.links.of(hostName);
    if (entry) entry.yieldTold = null;
    this.tell(hostName);
  }

  /** Once on each link, and whenever they are declared otherwise. */
  #tellYieldSettings(hostName: string, entry: LinkEntry): void {
    const { declared, issue } = this.#deps;
    const command = planYieldSettings(declared.current(), hostName, entry.protocolVersion);
    const told = JSON.stringify(command?.settings ?? null);
    if (command === null || told === entry.yieldTold) return;
    entry.yieldTold = told;
    issue(entry, hostName, command, APPLY_DESIRED_TTL_MS);
  }
}
