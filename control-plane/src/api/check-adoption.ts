import type { ApiContext } from './api-context.js';
import { askHost, readAtMost } from './ask-host.js';
import { judgeAdoption, type SeenContainer, seenContainersSchema } from './decide/judge-adoption.js';
import { ApiError } from './problem.js';

const DEADLINE_MS = 5_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Asks a host's agent whether it has a container of this name. A host that cannot tell now is believed: its agent
 * leaves what serves as it is until the container is there.
 *
 * @throws ApiError not_found with the nearest names, in_use
 */
export async function checkAdoption(
  context: ApiContext,
  deployment: string,
  container: string,
  signal: AbortSignal,
): Promise<void> {
  const declared = context.declared.current().deployments.get(deployment);
  if (declared?.engine !== 'vllm') return;
  const seen = await readContainers(context, declared.host, signal);
  if (seen === null) return;
  const obstacle = judgeAdoption(declared.host, container, seen);
  if (obstacle === null) return;
  const fix = `nothing was changed; on ${declared.host}: docker ps --all (or podman ps --all)`;
  throw new ApiError(obstacle.code, obstacle.detail, fix);
}

/** @returns `null` where nobody tells */
async function readContainers(
  { hostCalls, clock }: ApiContext,
  host: string,
  signal: AbortSignal,
): Promise<readonly SeenContainer[] | null> {
  try {
    const request = { method: 'GET', path: '/agent/v1/containers' } as const;
    const { body } = await askHost(hostCalls, host, request, { signal, clock, deadlineMs: DEADLINE_MS });
    const text = await readAtMost(body, MAX_ANSWER_BYTES);
    return seenContainersSchema.parse(JSON.parse(text)).containers;
  } catch {
    return null;
  }
}
