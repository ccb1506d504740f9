import type { Clock } from '@ai-fabric/shared';
import { cachedTokensOf, promptTokensOf } from './decide/choose-replica.js';
import { writesAnswer } from './decide/writes-answer.js';
import { nameOf } from './engine-facts.js';
import type { LiveReplicaTarget } from './live-replica-target.js';
import type { KnownPast } from './predict/affinity.js';
import type { PredictSettings } from './predict/predict-settings.js';
import type { Predictor } from './predict/predictor.js';
import type { Work } from './predict/replica-work.js';
import type { RouteRequest } from './route-types.js';
import type { TargetBoard } from './target-board.js';

const LEAST_TRUST = 1e-6;

/** What the predictor knows of a request: how long its answer will be, and where what came before it is. */
export class RequestMeasure {
  readonly #predictor: Predictor;
  readonly #board: TargetBoard;
  readonly #clock: Clock;
  readonly #settings: PredictSettings;

  constructor(predictor: Predictor, board: TargetBoard, clock: Clock, settings: PredictSettings) {
    this.#predictor = predictor;
    this.#board = board;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Of all its answers together; 0 where none is written. */
  answerTokensOf(request: RouteRequest): number {
    if (!writesAnswer(request)) return 0;
    const { resolved, maxTokens = null, hints } = request;
    const each = this.#predictor.lengths.expect(nameOf(resolved), hints?.key ?? '', maxTokens);
    return each * (hints?.choices ?? 1);
  }

  /** Where what came before this request went; `null`: nothing is known of it. */
  pastOf({ hints }: RouteRequest): KnownPast | null {
    if (hints === undefined) return null;
    const { session = null, prefix = null, promptBytes } = hints;
    if (session === null && prefix === null) return null;
    const { affinity } = this.#predictor;
    return affinity.pastOf({ session, prefix }, promptBytes, this.#board.numbers, this.#capacityOf);
  }

  /** It goes to this replica now. @param replica `null`: to a provider */
  workOf(replica: LiveReplicaTarget | null, request: RouteRequest): Work {
    const { key = '', promptBytes = null, streams = false, choices = 1 } = request.hints ?? {};
    const asker = { role: nameOf(request.resolved), key, choices };
    // Counting is done without the card: it reads no prompt there, and leaves nothing in its cache.
    if (replica === null || request.endpoint === 'count_tokens') return this.#predictor.sentAway(asker);
    const { model } = replica;
    const promptTokens = promptTokensOf(request, model.bytesPerToken, this.#settings);
    const past = this.pastOf(request);
    const cachedTokens = past === null ? 0 : cachedTokensOf(replica, past, promptTokens);
    const size = { promptTokens, cachedTokens, answerTokens: this.answerTokensOf(request) };
    const { session = null, prefix = null } = request.hints ?? {};
    const takenIn = promptTokens - cachedTokens + size.answerTokens;
    this.#predictor.affinity.sent({ session, prefix }, replica.number, takenIn);
    const believedTokens = cachedTokens / Math.max(model.learned.hitTrust, LEAST_TRUST);
    const shape = { promptBytes, streams, choices, believedTokens };
    return this.#predictor.sent(model, size, shape, asker, this.#clock.monotonicMs());
  }

  readonly #capacityOf = (number: number): number => this.#board.capacityOf(number);
}
