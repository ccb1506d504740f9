import type { HostSleeps } from './api/host-sleeps.js';
import type { SleepFleet } from './fleet/sleep-fleet.js';
import type { LiveView } from './live/live-view.js';

export interface HostSleepParts {
  readonly live: Pick<LiveView, 'host'>;
  readonly sleeps: Pick<SleepFleet, 'begin' | 'keepAwake' | 'standing'>;
}

/** What the control API asks of the fleet's sleep. */
export function createHostSleeps({ live, sleeps }: HostSleepParts): HostSleeps {
  return {
    sleep: (host, action, force) => {
      const begun = sleeps.begin({
        ...{ host, action, askedBy: 'operator', reason: 'an operator asked for it', despiteGuards: force },
      });
      if (begun.kind === 'begun') return { ok: true, settled: begun.settled };
      const { code, detail, mayBeForced } = begun;
      return { ok: false, code, detail, mayBeForced };
    },
    keepAwake: (host, seconds, reason) => {
      sleeps.keepAwake(host, seconds * 1000, reason);
    },
    standing: (name) => {
      const host = live.host(name);
      return host === undefined || host.hostId === null ? null : sleeps.standing(host);
    },
  };
}
