import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  judgeFile,
  type OperatingSystem,
  type ReleaseArtefact,
  type ReleaseManifest,
  verifyRelease,
} from '@ai-fabric/shared';

/**
 * What is known of where a program came from. `development_build`: it believes no key. `no_manifest`: it believes one,
 * and nothing that this key signed lies beside it.
 */
export type ProgramProof = 'signed' | 'development_build' | 'no_manifest';

/** The program that is to be installed, proven, or why there is none. */
export type ProgramSource =
  | {
      readonly ok: true;
      readonly path: string;
      readonly version: string;
      /** Hex. */
      readonly sha256: string;
      readonly bytes: number;
      /** What lies beside it and goes along: the manifest and its signature, and what else its release has. */
      readonly beside: readonly string[];
      readonly proof: ProgramProof;
      /** Wall clock; `null` where no manifest tells. */
      readonly builtAtMs: number | null;
    }
  | {
      readonly ok: false;
      readonly code: 'program_missing' | 'release_refused';
      readonly detail: string;
      readonly fix: string;
    };

export interface ProgramSearch {
  /** The folder of a release, unpacked; `null`: the running program is the one. */
  readonly release: string | null;
  readonly os: Exclude<OperatingSystem, 'other'>;
  readonly names: readonly string[];
  /** The running program, where it is one file. */
  readonly own: string | null;
  readonly ownVersion: string;
  /** PEM; `null` in a development build, which takes what is not signed. */
  readonly releaseKey: string | null;
}

const MANIFEST = 'manifest.json';
const SIGNATURE = 'manifest.sig';
const AGAIN = 'Fetch it again: "ai-fabric token create" on the control plane prints the line that does.';

/**
 * Finds the program and proves it: by its manifest's signature and its own SHA-256. What lies in a folder that anybody
 * filled is not run and not copied before.
 *
 * @param search `names`: the files of the release that belong to the agent here, the program first
 */
export async function findProgram(search: ProgramSearch): Promise<ProgramSource> {
  const { release, own, ownVersion, releaseKey } = search;
  if (release !== null) return fromRelease(release, search);
  if (own === null) {
    return {
      ...{ ok: false, code: 'program_missing' },
      detail: 'This agent runs from a checkout: there is no single executable to install.',
      fix: 'Package one and name its folder: npm run package, then ai-fabric-agent install --release DIR',
    };
  }
  // A version that an install placed has its manifest beside it, and so has a release that was unpacked.
  if (await isThere(join(dirname(own), MANIFEST))) return fromRelease(dirname(own), search);
  const { bytes, sha256 } = await measure(own);
  return {
    ...{ ok: true, path: own, version: ownVersion, sha256, bytes, beside: [] },
    ...{ proof: releaseKey === null ? 'development_build' : 'no_manifest', builtAtMs: null },
  };
}

async function fromRelease(folder: string, search: ProgramSearch): Promise<ProgramSource> {
  const manifestBytes = await readFile(join(folder, MANIFEST)).catch(() => null);
  if (manifestBytes === null) return refuse(`There is no ${MANIFEST} in ${folder}.`);
  const signature = await readFile(join(folder, SIGNATURE), 'utf8').catch(() => null);
  const verdict = verifyRelease(manifestBytes, signature, search.releaseKey);
  if (!verdict.ok) return refuse(`The release in ${folder} is not taken: ${verdict.detail}.`);
  const { manifest, signed } = verdict;
  const files = agentFiles(manifest, search);
  if (files === null) return refuse(`The release in ${folder} holds no agent for this system.`);
  for (const file of files) {
    const found = await measure(join(folder, file.name)).catch(() => null);
    if (found === null) return refuse(`${file.name} is not in ${folder}.`);
    const fault = judgeFile(file, found);
    if (fault !== null) return refuse(`The release in ${folder} is not taken: ${fault}.`);
  }
  const [program] = files;
  if (program === undefined) return refuse(`The release in ${folder} holds no agent for this system.`);
  const others = files.slice(1).map(({ name }) => join(folder, name));
  return {
    ...{ ok: true, path: join(folder, program.name), version: manifest.version, sha256: program.sha256 },
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    beside: [join(folder, MANIFEST), ...(signature === null ? [] : [join(folder, SIGNATURE)]), ...others],
    ...{ proof: signed ? 'signed' : 'development_build', builtAtMs: Date.parse(manifest.builtAt) },
  };
}

/** In the order in which they were asked for. */
function agentFiles(
  { artefacts }: ReleaseManifest,
  { os, names }: ProgramSearch,
): readonly ReleaseArtefact['files'][number][] | null {
  const artefact = artefacts.find((each) => each.kind === 'agent' && each.os === os);
  const found = names.flatMap((name) => artefact?.files.find((file) => file.name === name) ?? []);
  return found.length === names.length ? found : null;
}

async function measure(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const { size } = await stat(path);
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return { bytes: size, sha256: hash.digest('hex') };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function refuse(detail: string): ProgramSource {
  return { ok: false, code: 'release_refused', detail, fix: AGAIN };
}
