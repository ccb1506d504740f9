import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { BenchContext } from '../bench.js';

// From the compiled file's place in test/dist/bench/install.
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

const reportSchema = z.object({
  seconds: z.number(),
  startMs: z.record(z.string(), z.number()),
  manifest: z.object({ artefacts: z.array(z.object({ name: z.string(), bytes: z.number() })) }),
});
export type PackageReport = z.infer<typeof reportSchema>;

/** `npm run package` with these flags. @throws Error with its last words */
export async function packageRelease(
  context: BenchContext,
  flags: readonly string[],
): Promise<PackageReport> {
  const call = [join(ROOT, 'installers', 'checkout', 'run.mjs'), 'package', '--json', ...flags];
  const child = spawn(process.execPath, call, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  context.atEnd(() => {
    child.kill('SIGTERM');
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  createInterface({ input: child.stderr }).on('line', (line) => context.progress(line));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  if (exitCode !== 0)
    throw new Error(`the release could not be packaged (exit code ${exitCode}): ${printed}`);
  return reportSchema.parse(JSON.parse(printed));
}
