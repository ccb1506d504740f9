import type { SleepAction, SleepPlan } from '../fleet/decide/plan-sleep.js';
import type { LastSleep } from '../fleet/sleep-book.js';
import type { SleepEnd } from '../fleet/sleep-desk.js';

/** What the routes ask of hosts' sleep. */
export interface HostSleeps {
  /** Joins the transition that is under way, or begins one. @param action `null`: as declared */
  sleep(
    host: string,
    action: SleepAction | null,
    force: boolean,
  ):
    | { readonly ok: true; readonly settled: Promise<SleepEnd> }
    | {
        readonly ok: false;
        readonly code: string;
        readonly detail: string;
        readonly mayBeForced: boolean;
      };
  /** @param seconds 0: no longer */
  keepAwake(host: string, seconds: number, reason: string | null): void;
  /** `null`: the host has never joined. */
  standing(host: string): { readonly plan: SleepPlan; readonly last: LastSleep | null } | null;
}
