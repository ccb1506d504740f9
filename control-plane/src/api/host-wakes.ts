import type { Rehearsal, RehearsalAsk } from '../fleet/rehearsals.js';
import type { ListedWake } from '../registry/power-types.js';

/** What the routes ask of hosts' wakes. */
export interface HostWakes {
  /** An operator wants the host awake: joins the wake that is under way, or begins one. */
  wake(
    host: string,
  ):
    | { readonly ok: true; readonly wakeId: string; readonly settled: Promise<unknown> }
    | { readonly ok: false; readonly code: 'already_awake' | 'not_wakeable'; readonly detail: string };
  /** Under way, or ended lately; `null`: look into the registry. */
  find(wakeId: string): ListedWake | null;
  /** Begins one, or joins the one that is under way. */
  rehearse(ask: RehearsalAsk): Rehearsal;
  /** The last one; `null`: there was none since this process began. */
  rehearsal(host: string): Rehearsal | null;
}
