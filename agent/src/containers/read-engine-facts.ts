import type { Clock } from '@ai-fabric/shared';
import type { ContainerEngineInfo } from './container-engine.js';
import { LOOK_DEADLINE_MS, segment } from './engine-calls.js';
import { EngineSocket } from './engine-socket.js';

/** What an engine answers, word for word. Nothing of it is masked. */
export interface EngineFacts {
  readonly path: string;
  readonly status: number;
  readonly text: string;
}

/** Asks the engine that a probe has found for what only people look at. @throws ContainerEngineError */
export async function readEngineFacts(
  { endpoint, apiVersion }: Pick<ContainerEngineInfo, 'endpoint' | 'apiVersion'>,
  what: 'version' | 'info' | { readonly container: string },
  clock: Clock,
  signal: AbortSignal,
): Promise<EngineFacts> {
  const socket = new EngineSocket(endpoint, clock);
  const path =
    typeof what === 'string' ? `/${what}` : `/v${apiVersion}/containers/${segment(what.container)}/json`;
  try {
    const { status, text } = await socket.ask({ method: 'GET', path, signal, deadlineMs: LOOK_DEADLINE_MS });
    return { path, status, text };
  } finally {
    socket.close();
  }
}
