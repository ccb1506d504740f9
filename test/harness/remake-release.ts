import { createHash, type KeyObject } from 'node:crypto';
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type PackagedRelease, signAnew } from './packaged-release.js';

export interface Remake {
  readonly version: string;
  /** The archive that is another. */
  readonly archive: { readonly name: string; readonly content: Buffer };
  /** What is in it. */
  readonly members: readonly { readonly name: string; readonly content: Buffer }[];
  /** By default the tests' own release key, which is built into the base's programs. */
  readonly key?: KeyObject;
}

/** Makes a release in which one archive is another than in the base, signed by the tests' key. @param folder made anew */
export function remakeRelease(folder: string, base: PackagedRelease, remake: Remake): void {
  const { version, archive, members, key } = remake;
  rmSync(folder, { recursive: true, force: true });
  base.copyTo(folder);
  writeFileSync(join(folder, archive.name), archive.content);
  const files = members.map(({ name, content }) => ({
    ...{ name, bytes: content.length },
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  const edit: Parameters<typeof signAnew>[1] = (manifest) => ({
    ...manifest,
    version,
    artefacts: manifest.artefacts.map((each) => (each.name === archive.name ? { ...each, files } : each)),
  });
  signAnew(folder, edit, key);
}

/** One whose agent for Linux is another program. @param folder made anew @param key by default the tests' own */
export function makeLinuxRelease(
  folder: string,
  base: PackagedRelease,
  { version, program, key }: { readonly version: string; readonly program: string; readonly key?: KeyObject },
): void {
  const content = Buffer.from(program);
  remakeRelease(folder, base, {
    ...{ version, archive: { name: 'ai-fabric-agent-linux-x64.gz', content: gzipSync(content) } },
    members: [{ name: 'ai-fabric-agent', content }],
    ...(key === undefined ? {} : { key }),
  });
}

/** Puts a release into a folder that a control plane serves. */
export function serveRelease(release: string, served: string): void {
  mkdirSync(served, { recursive: true });
  cpSync(release, served, { recursive: true, filter: (path) => !path.endsWith('manifest.json') });
  // Last, and at once: by it a release is seen.
  cpSync(join(release, 'manifest.json'), join(served, 'manifest.new'));
  renameSync(join(served, 'manifest.new'), join(served, 'manifest.json'));
}
