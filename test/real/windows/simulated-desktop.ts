import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { nvidiaSmiScenario, type SAMPLE_CARDS } from '../../simulators/nvidia-smi/scenario.js';
import { windowsNodePath } from './windows-node.js';
import type { WinePrefix, WineProgram } from './wine-prefix.js';

/** What the agent is told to read cards by: `AI_FABRIC_AGENT_NVIDIA_SMI`. */
export const NVIDIA_SMI = 'C:\\driver\\nvidia-smi.cmd';
/** The one image that the simulated engine's registry has. */
export const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';

/** Puts Docker Desktop's engine and the driver's tool on a disk, as programs that need nothing beside them. */
export async function placeDesktop(
  drive: string,
  card: (typeof SAMPLE_CARDS)[keyof typeof SAMPLE_CARDS],
): Promise<void> {
  await build({
    entryPoints: [
      { in: join(import.meta.dirname, 'pipe-engine-program.ts'), out: 'pipe-engine' },
      {
        in: join(import.meta.dirname, '..', '..', 'simulators', 'nvidia-smi', 'program.ts'),
        out: 'nvidia-smi',
      },
    ],
    outdir: drive,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
  });
  installCard(drive, card);
}

/** @param tokensPerSecond of one request */
export function startDesktop(prefix: WinePrefix, uuid: string, tokensPerSecond?: number): WineProgram {
  const speed = tokensPerSecond === undefined ? [] : [String(tokensPerSecond)];
  return prefix.node('C:\\pipe-engine.mjs', [uuid, ...speed], {});
}

/** The last that the engine said of its containers: `ai-fabric-qwen (running)`. */
export function containersOf(desktop: WineProgram): string {
  return desktop.output.trim().split('\n').at(-1) ?? '';
}

/**
 * A simulated card. The agent reads of it what it is; what it does it cannot read, since Node starts no script of
 * Windows without a shell.
 */
function installCard(drive: string, card: (typeof SAMPLE_CARDS)[keyof typeof SAMPLE_CARDS]): void {
  mkdirSync(join(drive, 'driver'));
  const scenario = nvidiaSmiScenario({ platform: 'windows', cards: [card] });
  writeFileSync(join(drive, 'driver', 'scenario.json'), JSON.stringify(scenario));
  // Wine shows this machine's root as Z:.
  const node = `Z:${windowsNodePath.replaceAll('/', '\\')}`;
  const launcher = `@"${node}" "C:\\nvidia-smi.mjs" "C:\\driver\\scenario.json" %*\r\n`;
  writeFileSync(join(drive, 'driver', 'nvidia-smi.cmd'), launcher);
}
