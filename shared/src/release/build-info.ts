import { z } from 'zod';
import { PROTOCOL_VERSION } from '../wire/protocol-version.js';
import { commitSchema, releaseVersionSchema } from './release-manifest.js';

const buildInfoSchema = z.strictObject({
  /** Where it is another than the packages say: an upgrade is rehearsed. */
  version: releaseVersionSchema.nullable(),
  commit: commitSchema.nullable(),
  /** PEM, SPKI, Ed25519: releases that are not signed by it are refused. `null`: a development build. */
  releaseKey: z.string().max(1_000).nullable(),
  packaged: z.boolean(),
});
export type BuildInfo = Readonly<z.infer<typeof buildInfoSchema>>;

/** The bundler puts the text in its place when a release is packaged (`installers/package`). */
declare const AI_FABRIC_BUILD: string | undefined;

const FROM_CHECKOUT: BuildInfo = { version: null, commit: null, releaseKey: null, packaged: false };

/** @throws Error where the text is not what `npm run package` writes */
export function readBuildInfo(text: string | undefined): BuildInfo {
  return text === undefined ? FROM_CHECKOUT : buildInfoSchema.parse(JSON.parse(text));
}

/** What this program was built from. */
export const BUILD: BuildInfo = readBuildInfo(
  typeof AI_FABRIC_BUILD === 'string' ? AI_FABRIC_BUILD : undefined,
);

const SHORT_COMMIT = 7;

/** As `ai-fabric-agent 0.1.0 (commit 1a2b3c4, protocol 6, development build: unsigned)`. */
export function describeBuild(
  program: string,
  version: string,
  build: BuildInfo = BUILD,
  protocol: number = PROTOCOL_VERSION,
): string {
  return `${program} ${version} (${sourceOf(build)}, protocol ${protocol}, ${trustOf(build)})`;
}

function sourceOf({ commit, packaged }: BuildInfo): string {
  if (commit === null) return packaged ? 'commit unknown' : 'from a checkout';
  return `commit ${commit.slice(0, SHORT_COMMIT)}${commit.endsWith('-dirty') ? ', changed' : ''}`;
}

function trustOf({ releaseKey }: BuildInfo): string {
  return releaseKey === null ? 'development build: unsigned' : 'release build: signed';
}
