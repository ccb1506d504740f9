import type {
  BatchEngine,
  EngineObserver,
  EngineWork,
} from '../../../simulators/batch-engine/batch-engine.js';
import type { LabPort, NamedPolicy } from '../lab-policy.js';
import type { LabRequest } from '../workload.js';
import { pickLeast, rival } from './rival.js';

/**
 * Greedy with true knowledge: runs a copy of each engine on, with the request and without arrivals, and sends to where
 * the first token comes first. It knows what others send and how long each answer is, not what will arrive. No rival:
 * nobody can build it.
 */
export const oracle: NamedPolicy = rival('oracle', (port) => ({
  choose: (request, among) => {
    const up = among.filter((replica) => port.truth.phase(replica) === 'ready');
    return chooseFirst(port, request, up.length > 0 ? up : among);
  },
}));

function chooseFirst(port: LabPort, request: LabRequest, among: readonly number[]): number {
  const nowMs = port.clock.monotonicMs();
  const bounded = among
    .map((replica) => ({ replica, atLeastMs: soonest(port.truth.engine(replica), request, nowMs) }))
    .sort((a, b) => a.atLeastMs - b.atLeastMs);
  const firstAtMs = new Map<number, number>();
  let best = Number.POSITIVE_INFINITY;
  for (const { replica, atLeastMs } of bounded) {
    if (atLeastMs > best) break;
    const atMs = foresee(port.truth.engine(replica), request, nowMs);
    firstAtMs.set(replica, atMs);
    best = Math.min(best, atMs);
  }
  return pickLeast(among, (replica) => firstAtMs.get(replica) ?? Number.POSITIVE_INFINITY, port.random);
}

/** No first token can come before this: the iteration under way ends, and one more computes the prompt. */
function soonest(engine: BatchEngine<EngineWork>, work: EngineWork, nowMs: number): number {
  const { iterationMs, promptTokenMs } = engine.shape;
  return engine.iterationEndsAt(nowMs) + iterationMs + promptTokenMs * engine.uncachedTokens(work);
}

/** When the first token would come; `Infinity`: the engine takes no more. */
function foresee(engine: BatchEngine<EngineWork>, request: EngineWork, nowMs: number): number {
  const copy = engine.copy();
  const probe = { ...request };
  if (!copy.push(probe, nowMs)) return Number.POSITIVE_INFINITY;
  let firstAtMs = Number.POSITIVE_INFINITY;
  const observer: EngineObserver<EngineWork> = {
    firstToken: (work, atMs) => {
      if (work === probe) firstAtMs = atMs;
    },
    whole: () => undefined,
  };
  while (firstAtMs === Number.POSITIVE_INFINITY) copy.end(observer);
  return firstAtMs;
}
