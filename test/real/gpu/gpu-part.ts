import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { RealPart } from '../../harness/real-part.js';
import { nvidiaCards } from './nvidia-cards.js';

/** What is pulled, or there: as large as the real thing is. */
export const gpuImage = process.env['AI_FABRIC_TEST_VLLM_IMAGE'] ?? 'vllm/vllm-openai:v0.32.0';
/** Small, and everything that a larger one is. */
export const gpuModel = process.env['AI_FABRIC_TEST_VLLM_MODEL'] ?? 'Qwen/Qwen2.5-0.5B-Instruct';

const SOCKETS = [
  ...(process.env['AI_FABRIC_TEST_CONTAINER_ENGINE'] ? [process.env['AI_FABRIC_TEST_CONTAINER_ENGINE']] : []),
  '/var/run/docker.sock',
  '/run/podman/podman.sock',
  '\\\\.\\pipe\\docker_engine',
  '\\\\.\\pipe\\dockerDesktopLinuxEngine',
];

/** Of the machine's own container engine; `null` where there is none. */
export function engineSocket(): string | null {
  return (
    SOCKETS.find((path) =>
      path.startsWith('\\\\') ? process.platform === 'win32' && existsSync(path) : existsSync(path),
    ) ?? null
  );
}

/** A card, a container engine, and vLLM's image in it: gigabytes are not fetched unless somebody says so. */
export const gpuWithVllm: RealPart = {
  name: 'an NVIDIA card with vLLM',
  absence: () => {
    if (nvidiaCards().length === 0) return 'nvidia-smi is not there, or lists no card';
    const socket = engineSocket();
    if (socket === null) return 'no socket of Docker or Podman is there (AI_FABRIC_TEST_CONTAINER_ENGINE)';
    if (process.env['AI_FABRIC_TEST_PULL'] === '1' || hasImage(socket)) return null;
    return `${gpuImage} is not here (pull it, or let the test: AI_FABRIC_TEST_PULL=1)`;
  },
  // `.ci/run` cannot install a card.
  required: false,
};

const ASK = `
const [, socketPath, image] = process.argv;
const path = '/v1.41/images/' + image + '/json';
require('node:http').get({ socketPath, path, timeout: 10000 }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1)).on('error', () => process.exit(1));
`;

function hasImage(socket: string): boolean {
  const asked = spawnSync(process.execPath, ['-e', ASK, socket, gpuImage], { timeout: 30_000 });
  return asked.status === 0;
}
