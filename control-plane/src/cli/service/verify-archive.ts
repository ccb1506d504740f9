import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeSignature } from '@ai-fabric/shared';
import { CliError, exitCodes } from '../exit-codes.js';
import { damaged } from './carry-out.js';
import { checkFolder, SUMS, SUMS_SIGNATURE } from './check-folder.js';

export interface VerifiedArchive {
  /** First twelve digits of its list's own hash. */
  readonly build: string;
  /** By the release key; a development build has none, and compares files with the list alone. */
  readonly proven: boolean;
}

/**
 * Judges an unpacked archive before anything of it runs: each file is the one that its list names, and the list is
 * signed by the release key that this program was built with.
 *
 * @param releaseKeyPem `null` in a development build
 * @throws CliError refused, with what mends it: files differ from the list, or by code `signature_missing`, `signature_wrong`
 */
export function verifyArchive(folder: string, releaseKeyPem: string | null): VerifiedArchive {
  const check = checkFolder(folder);
  if (!check.ok) throw damaged(folder, check.problems);
  if (releaseKeyPem === null) return { build: check.build, proven: false };
  const fault = judgeSignature(readFileSync(join(folder, SUMS)), readSignature(folder), releaseKeyPem);
  if (fault === null) return { build: check.build, proven: true };
  const message = `${folder} is no release of who made the control plane that runs here: ${fault.detail}`;
  const fix =
    'fetch the archive again, from where you got it; if it is to be another key’s, remove the service first, which keeps its data: install-control-plane.sh --uninstall';
  throw new CliError(exitCodes.refused, message, fix, { code: fault.code });
}

function readSignature(folder: string): string | null {
  try {
    return readFileSync(join(folder, SUMS_SIGNATURE), 'utf8');
  } catch {
    return null;
  }
}
