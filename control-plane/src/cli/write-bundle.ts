import { writeFileSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { maskText } from '@ai-fabric/shared';
import { createTarGzip } from 'nanotar';
import type { z } from 'zod';
import { bundleSchema } from '../api/check-schemas.js';
import { VERSION } from '../version.js';
import type { ApiClient } from './api-client.js';
import { CliError, exitCodes } from './exit-codes.js';

export interface BundleContent {
  readonly doctor: unknown;
  /** `null`: the control plane could not be asked. */
  readonly parts: z.infer<typeof bundleSchema> | null;
}

export function fetchBundle(client: ApiClient): Promise<z.infer<typeof bundleSchema>> {
  return client.get('/checks/bundle', bundleSchema);
}

const README = `What "ai-fabric doctor --bundle" saw, for whoever is asked for help. Secrets are masked; names of hosts, models and
roles, addresses and hardware are not: look before you hand it on.
`;

/**
 * Writes a .tar.gz for its owner alone. Everything goes through the mask once more here, so that also what the control
 * plane did not know to be a secret, and has the form of one, stays out.
 */
export async function writeBundle(
  file: string,
  { doctor, parts }: BundleContent,
  nowMs: number,
): Promise<void> {
  const versions = {
    aiFabric: VERSION,
    node: process.version,
    platform: platform(),
    release: release(),
    architecture: arch(),
    madeAt: new Date(nowMs).toISOString(),
  };
  const documents: Readonly<Record<string, unknown>> = { doctor, versions, ...parts };
  const entries = Object.entries(documents).map(([name, document]) => ({
    name: `ai-fabric-bundle/${name}.json`,
    data: maskText(`${JSON.stringify(document, null, 2)}\n`, []),
  }));
  const files = [{ name: 'ai-fabric-bundle/README.txt', data: README }, ...entries];
  try {
    const archive = await createTarGzip(files, { attrs: { mode: '600', mtime: nowMs, uid: 0, gid: 0 } });
    writeFileSync(file, archive, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EEXIST') {
      throw new CliError(exitCodes.refused, `${file} is there already`, 'name a file that is not there yet');
    }
    const detail = error instanceof Error ? error.message : String(error);
    throw new CliError(exitCodes.failed, `cannot write ${file}: ${detail}`);
  }
}
