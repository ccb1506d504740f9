import { startDockerEngine } from '../../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../../simulators/docker-engine/vllm-program.js';

/** Docker Desktop's engine on its pipe, as a program of Windows: `node pipe-engine.mjs CARD_UUID`. */
const image = { reference: 'docker.io/vllm/vllm-openai:v0.32.0', start: vllmProgram() };
await startDockerEngine({
  path: '\\\\.\\pipe\\docker_engine',
  desktop: true,
  cards: [{ uuid: process.argv[2] ?? '', name: 'NVIDIA GeForce RTX 4070' }],
  registry: [image],
});
console.log('listening');
