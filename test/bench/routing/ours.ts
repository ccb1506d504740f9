import {
  type Claim,
  type HeldRequest,
  type RouteRequest,
  RouterStage,
  type WaitDecision,
} from '@ai-fabric/control-plane/testing';
import type { EngineReading } from '@ai-fabric/shared';
import { at } from './at.js';
import { hashText } from './hash-text.js';
import type { LabPolicy, LabPort, NamedPolicy, SendFailure } from './lab-policy.js';
import { type LabPrefix, prefixOf } from './lab-prefix.js';
import type { LabRequest } from './workload.js';

const MOST_ATTEMPTS = 4;
const MOST_LOST_CLAIMS = 8;
const BYTES_PER_TOKEN = 4;

/** The router of the program, asked as the gateway asks it: select, claim, hold, release. */
export const ours: NamedPolicy = {
  name: 'ours',
  hearsTokens: true,
  create: (port) => new OurPolicy(port),
};

function sessionOf(conversation: string): number {
  const [high, low] = hashText(conversation);
  return (high & 0xfffff) * 2 ** 32 + low;
}

/** A request and what the gateway would keep of it. */
interface Asked {
  readonly request: LabRequest;
  readonly excluded: Set<string>;
  readonly session: number | null;
  readonly prefix: LabPrefix | null;
  attempts: number;
  claim: Claim | null;
  held: HeldRequest | null;
}

class OurPolicy implements LabPolicy {
  readonly #port: LabPort;
  readonly #stage: RouterStage;
  readonly #index: ReadonlyMap<string, number>;
  readonly #asked = new Map<LabRequest, Asked>();

  constructor(port: LabPort) {
    this.#port = port;
    const replicas = port.replicas.map(({ deployment, shape }, index) => ({
      ...{ deployment, slots: shape.slots },
      isReady: port.isReady(index),
    }));
    const { clock, random } = port;
    this.#stage = new RouterStage(replicas, { clock, random, defer: (run) => port.defer(run) });
    this.#index = new Map(port.replicas.map(({ deployment }, index) => [deployment, index]));
  }

  arrive(request: LabRequest): void {
    const { conversation } = request;
    const asked: Asked = {
      ...{ request, excluded: new Set(), attempts: 0, claim: null, held: null },
      session: conversation === null ? null : sessionOf(conversation),
      prefix: prefixOf(request, BYTES_PER_TOKEN),
    };
    this.#asked.set(request, asked);
    this.#next(asked);
  }

  firstToken(request: LabRequest): void {
    this.#asked.get(request)?.claim?.answered();
  }

  furtherTokens(request: LabRequest, count: number): void {
    this.#asked.get(request)?.claim?.progressed(count);
  }

  whole(request: LabRequest): void {
    const claim = this.#end(request);
    const { promptTokens, answerTokens } = request;
    claim?.release({ kind: 'succeeded', promptTokens, completionTokens: answerTokens });
  }

  failed(request: LabRequest, replica: number, failure: SendFailure, mayRetry: boolean): void {
    const asked = this.#asked.get(request);
    if (asked === undefined) return;
    const { claim } = asked;
    asked.claim = null;
    claim?.release(failure === 'full' ? { kind: 'busy' } : { kind: 'failed', code: failure });
    asked.excluded.add(at(this.#port.replicas, replica).deployment);
    if (mayRetry && asked.attempts < MOST_ATTEMPTS) this.#next(asked);
    else this.#giveUp(asked);
  }

  reading(replica: number, reading: EngineReading): void {
    this.#stage.reading(at(this.#port.replicas, replica).deployment, reading);
  }

  phase(replica: number, phase: 'ready' | 'loading'): void {
    this.#stage.phase(at(this.#port.replicas, replica).deployment, phase);
  }

  #next(asked: Asked): void {
    const wait = this.#look(asked, true);
    if (wait === null) return;
    asked.held ??= this.#heldOf(asked, wait);
    const isPatient = this.#port.clock.monotonicMs() < asked.held.patienceEndsAtMs;
    if (!isPatient || this.#stage.router.hold(asked.held, wait) === null) this.#look(asked, false);
  }

  /** Selects, claims and sends; or gives up. @returns what there is to wait for, where that may be done */
  #look(asked: Asked, mayWait: boolean): WaitDecision | null {
    for (let lost = 0; lost <= MOST_LOST_CLAIMS; lost += 1) {
      const wanted = this.#wanted(asked, mayWait);
      const decision = this.#stage.router.select(wanted);
      if (decision.kind === 'wait') return decision;
      if (decision.kind !== 'send') break;
      const claim = this.#stage.router.claim(decision, wanted);
      if (claim === null) continue;
      asked.claim = claim;
      asked.attempts += 1;
      this.#port.send(asked.request, this.#replica(claim.target));
      return null;
    }
    this.#giveUp(asked);
    return null;
  }

  /** What the gateway tells the router of a request. */
  #wanted(asked: Asked, mayWait: boolean): RouteRequest {
    const { request, excluded } = asked;
    return {
      resolved: this.#stage.resolved,
      task: 'chat',
      estimatedPromptTokens: request.estimatedPromptTokens,
      excluded,
      mayCloud: false,
      mayWait,
      hints: {
        key: 'lab',
        promptBytes: request.estimatedPromptTokens * BYTES_PER_TOKEN,
        streams: request.isStreamed,
        choices: 1,
        session: asked.session,
        prefix: asked.prefix,
      },
    };
  }

  #heldOf(asked: Asked, wait: WaitDecision): HeldRequest {
    const lookForGood = (): void => {
      asked.excluded.clear();
      this.#look(asked, false);
    };
    return {
      ...{ key: asked.request.conversation ?? 'lab', role: 'chat' },
      requestClass: 'normal',
      bytes: asked.request.estimatedPromptTokens * BYTES_PER_TOKEN,
      patienceEndsAtMs: this.#port.clock.monotonicMs() + wait.patienceMs,
      lookAgain: () => {
        asked.excluded.clear();
        return this.#look(asked, true);
      },
      patienceOver: lookForGood,
      displaced: lookForGood,
    };
  }

  #replica(target: string): number {
    const replica = this.#index.get(target);
    if (replica === undefined) throw new Error(`${target} is no replica of this scenario`);
    return replica;
  }

  #giveUp(asked: Asked): void {
    this.#end(asked.request);
    this.#port.giveUp(asked.request);
  }

  #end(request: LabRequest): Claim | null {
    const claim = this.#asked.get(request)?.claim ?? null;
    this.#asked.delete(request);
    return claim;
  }
}
