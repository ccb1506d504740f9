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
