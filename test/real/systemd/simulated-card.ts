import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { nvidiaSmiScenario, type SimulatedCard } from '../../simulators/nvidia-smi/scenario.js';
import { STAND_IN } from './stand-in-release.js';

/**
 * Puts a simulated `nvidia-smi` where a driver puts its own, in a machine that has the stand-in release.
 *
 * @param home where `makeStandInRelease` put the runtime
 * @param root the machine's files
 */
export async function installCard(home: string, root: string, card: SimulatedCard): Promise<void> {
  const folder = join(home, 'runtime');
  await build({
    entryPoints: [join(import.meta.dirname, '..', '..', 'simulators', 'nvidia-smi', 'program.ts')],
    outfile: join(folder, 'nvidia-smi.mjs'),
    ...{ bundle: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'silent' },
  });
  writeFileSync(join(folder, 'scenario.json'), JSON.stringify(nvidiaSmiScenario({ cards: [card] })));
  const runtime = `${STAND_IN}/runtime`;
  const launcher = `#!/bin/sh\nexec ${STAND_IN}/node ${runtime}/nvidia-smi.mjs ${runtime}/scenario.json "$@"\n`;
  writeFileSync(join(root, 'usr/bin/nvidia-smi'), launcher);
  chmodSync(join(root, 'usr/bin/nvidia-smi'), 0o755);
}
