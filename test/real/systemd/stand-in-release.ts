import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReleaseManifest } from '@ai-fabric/shared';

const PROGRAM = fileURLToPath(new URL('../../../agent/dist/program', import.meta.url));

/** A program has some size, which a disk may not have room for; the shell does not come to it. */
const PADDING = `# ${'.'.repeat(1_000)}\n`.repeat(2_000);

/** Where a machine has it. */
export const STAND_IN = '/srv/stand-in';

/**
 * A release whose program is a wrapper around Node and the bundle, for tests of what an install does with whatever it
 * places: it is there in a second, and a single executable in a minute.
 *
 * @param version another one has another wrapper, so that it is another program
 * @returns the folders of this machine that a machine has to see
 */
export function makeStandInRelease(
  folder: string,
  version = '0.1.0',
): readonly { readonly from: string; readonly to: string }[] {
  const runtime = join(folder, 'runtime');
  const release = join(folder, 'release');
  mkdirSync(release, { recursive: true });
  cpSync(PROGRAM, join(runtime, 'program'), { recursive: true });
  writeFileSync(join(runtime, 'package.json'), '{ "type": "module" }\n');
  const program = `#!/bin/sh\n# ${version}\nexec ${STAND_IN}/node ${STAND_IN}/runtime/program/main.js "$@"\n${PADDING}`;
  writeFileSync(join(release, 'ai-fabric-agent'), program);
  chmodSync(join(release, 'ai-fabric-agent'), 0o755);
  writeFileSync(join(release, 'manifest.json'), JSON.stringify(manifestOf(program, version)));
  return [
    { from: process.execPath, to: `${STAND_IN}/node` },
    { from: runtime, to: `${STAND_IN}/runtime` },
    { from: release, to: `${STAND_IN}/release` },
  ];
}

function manifestOf(program: string, version: string): ReleaseManifest {
  const sha256 = createHash('sha256').update(program).digest('hex');
  const bytes = Buffer.byteLength(program);
  return {
    ...{ format: 1, version, commit: null, protocol: 5, oldestProtocol: 1, keySha256: null },
    builtAt: new Date().toISOString(),
    artefacts: [
      {
        ...{ name: 'ai-fabric-agent-linux-x64.gz', kind: 'agent', os: 'linux', architecture: 'x64' },
        ...{ compression: 'gzip', bytes, sha256 },
        files: [{ name: 'ai-fabric-agent', bytes, sha256 }],
      },
    ],
  };
}
