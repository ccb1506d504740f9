import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PROTOCOL_VERSION, type ReleaseManifest } from '@ai-fabric/shared';
import { STAND_IN } from './stand-in-release.js';

/**
 * The stand-in of `makeStandInRelease`, which says that it is of another version.
 *
 * @param home where `makeStandInRelease` put the runtime
 * @param releaseKey PEM, that it believes; `null`: it takes what is not signed
 */
export function standInProgram(home: string, version: string, releaseKey: string | null): string {
  const build = JSON.stringify({ version, commit: null, releaseKey, packaged: false });
  const says = `version-${version}.cjs`;
  writeFileSync(join(home, 'runtime', says), `globalThis.AI_FABRIC_BUILD = ${JSON.stringify(build)};\n`);
  const run = `exec ${STAND_IN}/node --require ${STAND_IN}/runtime/${says} ${STAND_IN}/runtime/program/main.js "$@"`;
  return `#!/bin/sh\n# ${version}\n${run}\n`;
}

/**
 * Puts a release that is not signed into a folder that a control plane serves: its program is a stand-in.
 *
 * @param home where `makeStandInRelease` put the runtime
 */
export function serveStandIn(home: string, folder: string, version: string): void {
  const program = Buffer.from(standInProgram(home, version, null));
  const archive = gzipSync(program);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ai-fabric-agent-linux-x64.gz'), archive);
  // Last, and at once: by it a release is seen.
  writeFileSync(join(folder, 'manifest.new'), JSON.stringify(manifestOf(version, archive, program)));
  renameSync(join(folder, 'manifest.new'), join(folder, 'manifest.json'));
}

function manifestOf(version: string, archive: Buffer, program: Buffer): ReleaseManifest {
  return {
    ...{ format: 1, version, commit: null, protocol: PROTOCOL_VERSION, oldestProtocol: 1, keySha256: null },
    builtAt: new Date().toISOString(),
    artefacts: [
      {
        ...{ name: 'ai-fabric-agent-linux-x64.gz', kind: 'agent', os: 'linux', architecture: 'x64' },
        ...{ compression: 'gzip', ...measure(archive) },
        files: [{ name: 'ai-fabric-agent', ...measure(program) }],
      },
    ],
  };
}

function measure(content: Buffer): { readonly bytes: number; readonly sha256: string } {
  return { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}
