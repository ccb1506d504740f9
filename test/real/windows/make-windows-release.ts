import type { PackagedRelease } from '../../harness/packaged-release.js';
import { remakeRelease } from '../../harness/remake-release.js';

const ARCHIVES = new URL('../../../installers/package/archives.mjs', import.meta.url);
/** Of members of a zip archive, which has to say one. */
const ANY_TIME = new Date('2026-01-01T00:00:00Z');

/** As packaging packs. It is no part of a package, so that its type is named here. */
interface Archives {
  zipped(files: readonly { readonly name: string; readonly content: Buffer }[], at: Date): Promise<Buffer>;
}

/** Makes a release, rightly signed, whose agent for Windows is another program. @param folder made anew */
export async function makeWindowsRelease(
  folder: string,
  base: PackagedRelease,
  version: string,
  program: Buffer,
): Promise<void> {
  const { zipped } = (await import(ARCHIVES.href)) as Archives;
  const members = [
    { name: 'ai-fabric-agent.exe', content: program },
    { name: 'nssm.exe', content: program },
  ];
  const archive = { name: 'ai-fabric-agent-windows-x64.zip', content: await zipped(members, ANY_TIME) };
  remakeRelease(folder, base, { version, archive, members });
}
