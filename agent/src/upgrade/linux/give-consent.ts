import { writeConsent } from '../consent.js';
import { writeWhole } from './linux-upgrade.js';
import { UPGRADE_CONSENT } from './upgrade-paths.js';

/** As root, for the owner: that release may be put in place. @param manifestSha256 hex */
export async function giveConsent(manifestSha256: string): Promise<void> {
  await writeWhole(UPGRADE_CONSENT, writeConsent(manifestSha256));
}
