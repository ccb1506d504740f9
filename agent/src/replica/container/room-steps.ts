import { estimateModel } from '../fit/decide/estimate-model.js';
import { type GrowthFacts, judgeGrowth } from '../fit/decide/judge-growth.js';
import type { StepResult } from './decide/container-step.js';
import { trouble } from './decide/container-trouble.js';
import type { StepContext } from './step-executors.js';

const DONE: StepResult = { kind: 'done' };

/** Is there room on the disk for an image that is not here? Its weights are shown beside it. */
export async function checkDisk(
  context: StepContext,
  image: string,
  signal: AbortSignal,
): Promise<StepResult> {
  const { storage, memory } = context.tools;
  const { model, revision, quantization } = context.desired;
  const [downloadBytes, room] = await Promise.all([storage.imageBytes(image, signal), storage.room(signal)]);
  const known = memory.weights(model, revision);
  const guess = known?.weightBytes ?? estimateModel({ model, quantization, kvCacheType: null }).weightsBytes;
  const weightsBytes = known?.complete ? 0 : guess;
  return judge(context, { downloadBytes, weightsBytes, weightsAreGuessed: true, ...room }, signal);
}

/** What of the weights is in the cache is remembered; with `fetches`, is there room for the rest? */
export async function lookIntoCache(
  context: StepContext,
  fetches: boolean,
  signal: AbortSignal,
): Promise<StepResult> {
  const { storage, memory } = context.tools;
  const { model, revision } = context.desired;
  const seen = await storage.weights(context.desired, signal);
  if (signal.aborted) return { kind: 'aborted' };
  if (seen === null) return DONE;
  memory.learnWeights(model, revision, seen);
  if (!fetches) return DONE;
  const { freeBytes, virtualDisk } = await storage.room(signal);
  const free = [freeBytes, seen.freeBytes].filter((bytes) => bytes !== null);
  const facts = {
    ...{ downloadBytes: 0, weightsBytes: seen.missingBytes, weightsAreGuessed: false, virtualDisk },
    freeBytes: free.length === 0 ? null : Math.min(...free),
  };
  return judge(context, facts, signal);
}

function judge({ onGrowth }: StepContext, facts: GrowthFacts, signal: AbortSignal): StepResult {
  if (signal.aborted) return { kind: 'aborted' };
  const { growth, refusal } = judgeGrowth(facts);
  onGrowth(growth);
  return refusal === null ? DONE : { kind: 'failed', trouble: trouble('disk_full', refusal) };
}
