import { startDockerEngine } from '../../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../../simulators/docker-engine/vllm-program.js';

/**
 * Docker Desktop's engine on its pipe, as a program of Windows: `node pipe-engine.mjs CARD_UUID [TOKENS_PER_SECOND]`. It
 * says which containers there are, whenever that changes.
 */
const [, , uuid = '', tokensPerSecond] = process.argv;
const speed = tokensPerSecond === undefined ? {} : { decodeTokensPerSecond: Number(tokensPerSecond) };
const image = {
  reference: 'docker.io/vllm/vllm-openai:v0.32.0',
  start: vllmProgram({ vllm: { speed } }),
};
const engine = await startDockerEngine({
  path: '\\\\.\\pipe\\docker_engine',
  desktop: true,
  cards: [{ uuid, name: 'NVIDIA GeForce RTX 4070' }],
  registry: [image],
});
console.log('listening');

let said = '';
setInterval(() => {
  const names = engine.containers.map(({ wish, state }) => `${wish.name} (${state})`);
  const line = `containers: ${names.join(' ') || 'none'}`;
  if (line !== said) console.log(line);
  said = line;
}, 100);
