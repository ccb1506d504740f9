import { UNKNOWN_RATES } from '../decide/guess-rates.js';
import { predictCost } from '../decide/predict-cost.js';
import { defaultPredictSettings } from '../predict-settings.js';
import { emptyPrediction, type RequestSize } from '../predict-types.js';
import { ReplicaModel } from '../replica-model.js';
import type { SentRequest, Work, WorkEnd } from '../replica-work.js';

export const settings = defaultPredictSettings;
export const weights = { firstToken: 1, answer: 0.05 };
type Whole = Extract<WorkEnd, { kind: 'whole' }>;
export const whole: Whole = { kind: 'whole', promptTokens: null, completionTokens: null, wasPaused: false };
export const broken: WorkEnd = { kind: 'broken' };
export const ended = (completionTokens: number): Whole => ({ ...whole, completionTokens });

export function sizeOf(promptTokens: number, answerTokens = 100): RequestSize {
  return { promptTokens, cachedTokens: 0, answerTokens };
}

export function send(
  model: ReplicaModel,
  nowMs: number,
  promptTokens: number,
  more: Partial<SentRequest> & { readonly startSeconds?: number } = {},
): Work {
  const request = { size: sizeOf(promptTokens), promptBytes: null, streams: true, choices: 1, ...more };
  const prediction = emptyPrediction();
  predictCost(model.load(nowMs), model.rates, request.size, weights, settings.cost, prediction);
  if (more.startSeconds !== undefined) prediction.startSeconds = more.startSeconds;
  return model.sent(request, prediction, nowMs);
}

export const fresh = (): ReplicaModel => new ReplicaModel(UNKNOWN_RATES, 8, settings);

/** An engine of known rates that serves one request after the other. */
export function serve(
  model: ReplicaModel,
  count: number,
  random: () => number,
  factor = 1,
  fromMs = 10_000,
): number {
  let nowMs = fromMs;
  for (let request = 0; request < count; request++) {
    const [prompt, answer] = [50 + Math.floor(random() * 1_500), 10 + Math.floor(random() * 150)];
    const streams = random() < 0.7;
    const work = send(model, nowMs, prompt, { streams });
    const first = nowMs + factor * 1000 * (0.014 * 1.5 + prompt * 0.0006);
    const pace = factor * 1000 * (0.014 + 0.0009);
    if (streams) {
      work.firstByte(first);
      nowMs = first + (answer - 1) * pace;
      work.progressed(answer);
    } else nowMs = first + answer * pace;
    work.ended(ended(answer), nowMs);
    nowMs += 50;
  }
  return nowMs;
}
