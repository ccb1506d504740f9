import type { HostWakes } from './api/host-wakes.js';
import type { Fleet } from './fleet/create-fleet.js';

/** What operators ask of hosts' wakes. */
export function createHostWakes({ wakes, rehearsals }: Pick<Fleet, 'wakes' | 'rehearsals'>): HostWakes {
  return {
    wake: (host) => {
      const asked = wakes.wakeHost(host, 'operator');
      if (asked.kind === 'refused') return { ok: false, code: asked.code, detail: asked.detail };
      const { order, settled } = asked.flight;
      return { ok: true, wakeId: order.wakeId, settled };
    },
    find: (wakeId) => wakes.find(wakeId),
    rehearse: (ask) => rehearsals.begin(ask),
    rehearsal: (host) => rehearsals.find(host),
  };
}
