import type { Random } from '@ai-fabric/shared';
import { seededRandom } from '@ai-fabric/shared/testing';
import type { EngineWork } from '../../simulators/batch-engine/batch-engine.js';
import type { PrefixPiece } from '../../simulators/batch-engine/prefix-blocks.js';
import { drawExponential, drawNormal } from './draw.js';
import { drawLength, LEAST_ANSWER, LEAST_PROMPT } from './scenario/lengths.js';
import type { OutsideLoad, Scenario } from './scenario/scenario.js';

/** A request of the laboratory. The same for every policy that is tried with the same seed. */
export interface LabRequest extends EngineWork {
  readonly index: number;
  readonly atMs: number;
  /** What is known of its prompt before an engine has counted it. */
  readonly estimatedPromptTokens: number;
  readonly isStreamed: boolean;
  /** Names the conversation that it belongs to; `null`: none. */
  readonly conversation: string | null;
}

/** What somebody else sends to a replica. */
export interface OutsideRequest extends EngineWork {
  readonly atMs: number;
  readonly replica: number;
}

/** The requests of one run, in order of arrival. @param count and from when, where that is not as the scenario says */
export function drawRequests(
  scenario: Scenario,
  seed: number,
  { count, fromMs }: { readonly count: number; readonly fromMs: number },
): LabRequest[] {
  const random = seededRandom(seed);
  const talks = scenario.prefixes === undefined ? null : new Talks(scenario, random);
  const requests: LabRequest[] = [];
  let atMs = fromMs;
  for (let index = 0; index < count; index += 1) {
    atMs += drawExponential(
      random,
      1_000 / (scenario.requestsPerSecond * rateFactor(scenario, atMs - fromMs)),
    );
    const own = drawLength(scenario.prompt.lognormal, LEAST_PROMPT, random);
    const answerTokens = drawLength(scenario.answer.lognormal, LEAST_ANSWER, random);
    const turn = talks?.next(own, answerTokens) ?? ALONE;
    const promptTokens = own + turn.pieces.reduce((sum, { tokens }) => sum + tokens, 0);
    requests.push({
      ...{ index, atMs, promptTokens, answerTokens, ...turn },
      estimatedPromptTokens: Math.max(
        1,
        Math.round(promptTokens * Math.exp(scenario.estimateError * drawNormal(random))),
      ),
      isStreamed: random() < scenario.streamed,
    });
  }
  return requests;
}

/** What others send between two moments. */
export function drawOutside(scenario: Scenario, seed: number, untilMs: number): OutsideRequest[] {
  return scenario.outside.flatMap((load, index) => drawOne(scenario, load, seed * 31 + index + 1, untilMs));
}

function drawOne(scenario: Scenario, load: OutsideLoad, seed: number, untilMs: number): OutsideRequest[] {
  const random = seededRandom(seed);
  const requests: OutsideRequest[] = [];
  for (let atMs = 0; ; ) {
    atMs += drawExponential(random, 1_000 / load.requestsPerSecond);
    if (atMs > untilMs) return requests;
    if (atMs % (load.onMs + load.offMs) >= load.onMs) continue;
    requests.push({
      ...{ atMs, replica: load.replica, pieces: [], leaves: null },
      promptTokens: drawLength(scenario.prompt.lognormal, LEAST_PROMPT, random),
      answerTokens: drawLength(scenario.answer.lognormal, LEAST_ANSWER, random),
    });
  }
}

/** How much busier than on average it is, at this moment. */
function rateFactor({ arrivals }: Scenario, sinceMs: number): number {
  if (arrivals === 'poisson') return 1;
  const { onSeconds, offSeconds, factor } = arrivals.bursts;
  const all = onSeconds + offSeconds;
  const calm = all / (onSeconds * factor + offSeconds);
  return ((sinceMs / 1_000) % all < onSeconds ? factor : 1) * calm;
}

interface Turn {
  readonly pieces: readonly PrefixPiece[];
  readonly leaves: PrefixPiece | null;
  readonly conversation: string | null;
}

const ALONE: Turn = { pieces: [], leaves: null, conversation: null };

interface Talk {
  readonly name: string;
  readonly pieces: PrefixPiece[];
}

/** Conversations that go on side by side: each request is the next turn of the one that was silent for longest. */
class Talks {
  readonly #plan: NonNullable<Scenario['prefixes']>;
  readonly #random: Random;
  readonly #open: Talk[] = [];
  #lastTalk = 0;

  constructor({ prefixes }: Scenario, random: Random) {
    if (prefixes === undefined) throw new Error('a scenario without prefixes has no conversations');
    this.#plan = prefixes;
    this.#random = random;
  }

  /** @param own tokens that this turn adds to the prompt */
  next(own: number, answerTokens: number): Turn {
    const { conversations, turns } = this.#plan;
    const talk = this.#open.length < conversations ? this.#begin() : (this.#open.shift() ?? this.#begin());
    const pieces = [...talk.pieces];
    const leaves = { id: `${talk.name}.${pieces.length}`, tokens: own + answerTokens };
    talk.pieces.push(leaves);
    if (pieces.length < turns) this.#open.push(talk);
    return { pieces, leaves, conversation: talk.name };
  }

  #begin(): Talk {
    this.#lastTalk += 1;
    const group = Math.floor(this.#random() * this.#plan.groups);
    const system = { id: `system ${group}`, tokens: this.#plan.sharedTokens };
    return { name: `talk ${this.#lastTalk}`, pieces: [system] };
  }
}
