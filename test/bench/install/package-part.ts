import { join } from 'node:path';
import type { BenchContext, Measured } from '../bench.js';
import type { InstallPart } from './install-part.js';
import { packageRelease } from './package-release.js';

const MEGABYTE = 1_000_000;

export const packagePart: InstallPart = {
  name: 'package',
  figures: [
    {
      name: 'download_mb',
      meaning:
        'what a host fetches of an agent: the larger of gzip for Linux and zip for Windows, in MB of 1,000,000 bytes',
      limit: { atMost: 55 },
      from: 'greatest',
    },
    {
      name: 'package_s',
      meaning:
        'a whole release made anew, better-sqlite3 compiled and xz included; what npm gave before is not fetched again',
      limit: { atMost: 300 },
      from: 'median',
    },
  ],
  measure: measurePackaging,
};

/** Once, whatever the rounds: it takes minutes, and most of them are a compiler's. */
async function measurePackaging(context: BenchContext): Promise<Measured> {
  const out = join(context.directory, 'release');
  context.progress('packaging a release anew');
  const anew = await packageRelease(context, ['--out', out, '--fresh']);
  context.progress('packaging it again, from the cache');
  const again = await packageRelease(context, ['--out', out]);
  const bytes = new Map(anew.manifest.artefacts.map(({ name, bytes }) => [name, bytes]));
  const sizes = [...bytes].map(([name, size]) => [`mb_${figureName(name)}`, [size / MEGABYTE]] as const);
  const starts = Object.entries(anew.startMs).map(
    ([name, ms]) => [`start_ms_${figureName(name)}`, [ms]] as const,
  );
  const fetched = ['ai-fabric-agent-linux-x64.gz', 'ai-fabric-agent-windows-x64.zip'];
  return {
    rounds: {
      download_mb: [Math.max(...fetched.map((name) => bytes.get(name) ?? Number.NaN)) / MEGABYTE],
      package_s: [anew.seconds],
      package_again_s: [again.seconds],
      ...Object.fromEntries([...sizes, ...starts]),
    },
    leftOut: [],
    notes: ['packaged once anew and once from the cache, whatever --rounds says'],
  };
}

/** `ai-fabric-agent-linux-x64.gz` as the name of a figure. */
function figureName(artefact: string): string {
  return artefact.replaceAll(/[^a-z0-9]+/gi, '_');
}
