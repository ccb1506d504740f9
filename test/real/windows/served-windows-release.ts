import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PackagedRelease, signAnew } from '../../harness/packaged-release.js';

const ARCHIVES = new URL('../../../installers/package/archives.mjs', import.meta.url);
const ARCHIVE = 'ai-fabric-agent-windows-x64.zip';
/** Of members of a zip archive, which has to say one. */
const ANY_TIME = new Date('2026-01-01T00:00:00Z');

/** As packaging packs. It is no part of a package, so that its type is named here. */
interface Archives {
  zipped(files: readonly { readonly name: string; readonly content: Buffer }[], at: Date): Promise<Buffer>;
}

/** Puts a release into a folder that a control plane serves. */
export function serveRelease(release: string, served: string): void {
  mkdirSync(served, { recursive: true });
  cpSync(release, served, { recursive: true, filter: (path) => !path.endsWith('manifest.json') });
  // Last, and at once: by it a release is seen.
  cpSync(join(release, 'manifest.json'), join(served, 'manifest.new'));
  renameSync(join(served, 'manifest.new'), join(served, 'manifest.json'));
}

/** Makes a release, rightly signed, whose agent for Windows is another program. @param folder made anew */
export async function makeWindowsRelease(
  folder: string,
  base: PackagedRelease,
  version: string,
  program: Buffer,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  base.copyTo(folder);
  const { zipped } = (await import(ARCHIVES.href)) as Archives;
  const members = [
    { name: 'ai-fabric-agent.exe', content: program },
    { name: 'nssm.exe', content: program },
  ];
  writeFileSync(join(folder, ARCHIVE), await zipped(members, ANY_TIME));
  const files = members.map(({ name, content }) => ({
    ...{ name, bytes: content.length },
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  signAnew(folder, (manifest) => ({
    ...manifest,
    version,
    artefacts: manifest.artefacts.map((each) => (each.name === ARCHIVE ? { ...each, files } : each)),
  }));
}
