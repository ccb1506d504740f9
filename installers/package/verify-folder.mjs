import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from '../checkout/setup-failure.mjs';
import { measureFile } from './archives.mjs';

/** Beside the artefacts that a manifest names. */
const OWN = ['manifest.json', 'manifest.sig'];

/**
 * Judges a release folder: its manifest, the signature, and each file by its SHA-256.
 *
 * @param {import('./release-facts.mjs').Shared} shared
 * @param {string} folder
 * @param {string | null} releaseKeyPem
 * @returns {Promise<{ signed: boolean, faults: string[] }>}
 * @throws {SetupFailure} where there is no release
 */
export async function verifyFolder(shared, folder, releaseKeyPem) {
  const manifestFile = join(folder, 'manifest.json');
  if (!existsSync(manifestFile))
    throw new SetupFailure(`${folder} holds no manifest.json: it is no release.`, 2);
  const signatureFile = join(folder, 'manifest.sig');
  const signature = existsSync(signatureFile) ? readFileSync(signatureFile, 'utf8') : null;
  const verdict = shared.verifyRelease(readFileSync(manifestFile), signature, releaseKeyPem);
  if (!verdict.ok) return { signed: false, faults: [`${verdict.detail} [${verdict.code}]`] };
  const faults = [];
  for (const artefact of verdict.manifest.artefacts) {
    const file = join(folder, artefact.name);
    const fault = existsSync(file)
      ? shared.judgeFile(artefact, await measureFile(file))
      : `${artefact.name} is not there`;
    if (fault !== null) faults.push(fault);
  }
  const known = [...OWN, ...verdict.manifest.artefacts.map(({ name }) => name)];
  const foreign = readdirSync(folder).filter((name) => !known.includes(name));
  return {
    signed: verdict.signed,
    faults: [...faults, ...foreign.map((name) => `${name} is not in the manifest`)],
  };
}
