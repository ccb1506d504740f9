import type { Clock } from '@ai-fabric/shared';
import { judgeHost } from './decide/judge-host.js';
import type { HostCheck, HostFacts } from './host-checks.js';

export interface WatchHostOptions {
  readonly readFacts: () => Promise<HostFacts>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Resolves after so many milliseconds; a timer of the agent's clock would not keep the process there. */
  readonly pause: (ms: number) => Promise<unknown>;
  /** What is not known by then stays so. */
  readonly deadlineMs: number;
  /** Called once for each check, when something is known of it. */
  readonly onKnown: (check: HostCheck) => void;
  /** No more is to come of it: whoever watches has something else to do first. */
  readonly isHopeless: (facts: HostFacts) => boolean;
}

const LOOK_EVERY_MS = 250;

/** Watches the checklist of an agent that has just started arrive. @returns it, as it is at last; `null`: it is hopeless */
export async function watchHost(options: WatchHostOptions): Promise<readonly HostCheck[] | null> {
  const { readFacts, clock, pause, deadlineMs, onKnown, isHopeless } = options;
  const known = new Set<string>();
  const endMs = clock.monotonicMs() + deadlineMs;
  for (;;) {
    const facts = await readFacts();
    if (isHopeless(facts)) return null;
    const isLate = clock.monotonicMs() >= endMs;
    const checks = judgeHost(facts).map((check) => (isLate ? check : patient(check)));
    for (const check of checks) {
      if (check.state === 'waiting' || known.has(check.id)) continue;
      known.add(check.id);
      onKnown(check);
    }
    // Only a replica tells of the last one, and nobody declared one yet.
    const isSettled = checks.every(({ id, state }) => state !== 'waiting' || id === 'gpu_in_container');
    if (isSettled || isLate) return checks;
    await pause(LOOK_EVERY_MS);
  }
}

/** An agent that is on its way up has no link yet, and that is nothing to complain of. */
function patient(check: HostCheck): HostCheck {
  return check.id === 'linked' && check.state === 'red' ? { ...check, state: 'waiting' } : check;
}
