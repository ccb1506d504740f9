import { compareVersions, type ReleaseArtefact, type ReleaseManifest } from '@ai-fabric/shared';

/** Where an agent runs, as releases name it. */
export interface AgentPlatform {
  readonly os: 'linux' | 'windows';
  readonly architecture: string;
}

export interface ReleaseFacts {
  readonly manifest: ReleaseManifest;
  readonly ownVersion: string;
  readonly platform: AgentPlatform;
  /** Where it is unpacked. */
  readonly freeBytes: number;
  /** Both the archive and what it holds lie there at once; `false`: what it holds alone. */
  readonly withArchive: boolean;
}

export type ReleaseRefusalCode = 'older_version' | 'same_version' | 'wrong_platform' | 'no_space';

export type ReleaseVerdict =
  | {
      readonly ok: true;
      readonly artefact: ReleaseArtefact;
      /** What it holds, the program first. */
      readonly files: ReleaseArtefact['files'];
    }
  | { readonly ok: false; readonly code: ReleaseRefusalCode; readonly detail: string };

/** The agent's own files in its artefact, the program first. */
const NAMES: Readonly<Record<AgentPlatform['os'], readonly string[]>> = {
  linux: ['ai-fabric-agent'],
  windows: ['ai-fabric-agent.exe', 'nssm.exe'],
};
/** What Node unpacks by itself. */
const COMPRESSION = { linux: 'gzip', windows: 'zip' } as const;
/** A disk that is full to the last byte is nobody's friend. */
export const ROOM_TO_SPARE = 64 * 1024 * 1024;

/** Whether a release whose signature was proven may take the place of what runs. */
export function judgeRelease(facts: ReleaseFacts): ReleaseVerdict {
  const { manifest, ownVersion, platform, freeBytes, withArchive } = facts;
  const order = compareVersions(manifest.version, ownVersion);
  if (order === 0) return refuse('same_version', `Version ${ownVersion} is here already.`);
  if (order === null || order < 0) {
    return refuse(
      'older_version',
      `${manifest.version} is no later version than ${ownVersion}, which is here.`,
    );
  }
  const found = findArtefact(manifest, platform);
  if (found === null) {
    const what = `${platform.os} on ${platform.architecture}`;
    return refuse('wrong_platform', `Release ${manifest.version} has no agent for ${what}.`);
  }
  const { artefact, files } = found;
  const bytes = files.reduce((sum, file) => sum + file.bytes, withArchive ? artefact.bytes : 0);
  if (freeBytes < bytes + ROOM_TO_SPARE) {
    const needed = mebibytes(bytes + ROOM_TO_SPARE);
    return refuse('no_space', `There is room for ${mebibytes(freeBytes)} MiB, and ${needed} MiB are needed.`);
  }
  return { ok: true, artefact, files };
}

function findArtefact(
  { artefacts }: ReleaseManifest,
  { os, architecture }: AgentPlatform,
): { readonly artefact: ReleaseArtefact; readonly files: ReleaseArtefact['files'] } | null {
  const artefact = artefacts.find(
    (each) =>
      each.kind === 'agent' &&
      each.os === os &&
      each.architecture === architecture &&
      each.compression === COMPRESSION[os],
  );
  if (artefact === undefined) return null;
  const files = NAMES[os].flatMap((name) => artefact.files.find((file) => file.name === name) ?? []);
  return files.length === NAMES[os].length ? { artefact, files } : null;
}

function mebibytes(bytes: number): string {
  return (bytes / (1024 * 1024)).toFixed(0);
}

function refuse(code: ReleaseRefusalCode, detail: string): ReleaseVerdict {
  return { ok: false, code, detail };
}
