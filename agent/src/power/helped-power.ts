import type { RootHelper } from '../root-helper/root-helper.js';
import { RootHelperError } from '../root-helper/root-helper.js';
import { readPowerError } from './decide/read-power-error.js';
import { PowerError, type PowerPort } from './power-port.js';

/** As `inner`, but that root carries out what is done to the machine's power. */
export function helpedPower(inner: PowerPort, helper: RootHelper): PowerPort {
  return {
    ...inner,
    act: async (verb) => {
      // Our own hold would be in the way.
      inner.release();
      try {
        await helper.ask(verb);
      } catch (error) {
        if (!(error instanceof RootHelperError)) throw error;
        if (error.code !== 'failed') throw new PowerError('power_denied', error.message);
        throw readPowerError(verb, error.message);
      }
    },
  };
}
