import { readFileSync, rmSync } from 'node:fs';
import { startDockerEngine } from '../../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../../simulators/docker-engine/vllm-program.js';
import type { NvidiaSmiScenario } from '../../simulators/nvidia-smi/scenario.js';

/**
 * A container engine of a machine of the LAN: `node container-engine-program.js SOCKET SCENARIO IMAGE`. It has the cards
 * of the simulated nvidia-smi's scenario, and none where that does not work as this begins. What runs in its containers
 * ends with it.
 */
const [path, scenarioPath, reference] = process.argv.slice(2);
if (path === undefined || scenarioPath === undefined || reference === undefined) {
  throw new Error('usage: container-engine-program.js SOCKET SCENARIO IMAGE');
}
const { cards, behaviour } = JSON.parse(readFileSync(scenarioPath, 'utf8')) as NvidiaSmiScenario;
// Of the last boot, which may have ended without a word.
rmSync(path, { force: true });
await startDockerEngine({
  path,
  cards: behaviour.kind === 'healthy' ? cards : [],
  registry: [{ reference, start: vllmProgram() }],
});
console.log('listening');
