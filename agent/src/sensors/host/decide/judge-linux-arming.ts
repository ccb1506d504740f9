import type { WakeArming } from '@ai-fabric/shared';
import { parseEthtool } from './parse-ethtool.js';

/**
 * Whether a card wakes its machine: by `ethtool`, which only root is answered by, else by what the kernel says of the
 * device. That is less: a card that may wake its machine may do so on other packets than ours.
 *
 * @param ethtool what it printed; empty where it is not there
 * @param wakeup the device's `power/wakeup`: `enabled`, `disabled` or empty
 */
export function judgeLinuxArming(ethtool: string, wakeup: string): WakeArming {
  const told = parseEthtool(ethtool);
  if (told !== null) return told;
  const why = ethtool === '' ? 'ethtool is not there or failed' : 'ethtool does not tell who is not root';
  switch (wakeup.trim()) {
    case 'enabled':
      return { supported: true, armed: true, detail: `${why}; the kernel lets the card wake the machine` };
    case 'disabled':
      return {
        supported: true,
        armed: false,
        detail: `${why}; the kernel does not let the card wake the machine`,
      };
    default:
      return { supported: null, armed: null, detail: `${why}; the kernel knows of no waking for this card` };
  }
}
