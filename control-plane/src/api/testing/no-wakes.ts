import type { HostSleeps } from '../host-sleeps.js';
import type { HostWakes } from '../host-wakes.js';

/** Where no host can be woken. */
export const NO_WAKES: HostWakes = {
  wake: () => ({ ok: false, code: 'not_wakeable', detail: 'nobody on its LAN is awake' }),
  find: () => null,
  rehearse: () => {
    throw new Error('not here');
  },
  rehearsal: () => null,
};

/** Nobody goes to sleep. */
export const NO_SLEEPS: HostSleeps = {
  sleep: () => ({ ok: false, code: 'owner_present', detail: 'somebody is at it', mayBeForced: true }),
  keepAwake: () => undefined,
  standing: () => null,
};
