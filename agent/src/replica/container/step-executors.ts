import type { ReplicaGrowth, VllmReplica } from '@ai-fabric/shared';
import type { ContainerEngine, ExecResult, PullProgress } from '../../containers/container-engine.js';
import { ContainerEngineError } from '../../containers/container-engine-error.js';
import type { LookStep } from '../engine-probe.js';
import type { KeptContainer } from './decide/container-state.js';
import type { ContainerStep, StepKind, StepOf, StepResult } from './decide/container-step.js';
import { type Trouble, trouble } from './decide/container-trouble.js';
import { judgeContainer } from './decide/judge-container.js';
import type { Wanted } from './decide/plan-input.js';
import { readContainerError } from './decide/read-container-error.js';
import { readContainerEnd, readEngineLog } from './decide/read-engine-log.js';
import { judgeGpuList } from './decide/read-gpu-list.js';
import { drainReplica, type EngineLoad } from './drain-replica.js';
import type { EngineDoor } from './engine-door.js';
import { findPortHolder } from './find-port-holder.js';
import type { KeptTools } from './kept-tools.js';
import { readLastLines } from './read-last-lines.js';
import { type FitAnswer, RecipeError } from './replica-recipe.js';
import { checkDisk, lookIntoCache } from './room-steps.js';
import { seeContainer } from './see-container.js';

/** What a step is carried out with: one replica's own. */
export interface StepContext {
  readonly tools: KeptTools;
  readonly desired: VllmReplica;
  readonly wanted: Wanted;
  readonly rung: number;
  readonly kept: KeptContainer | null;
  readonly door: EngineDoor;
  /** `null`: nobody asks it directly. */
  readonly engineLoad: EngineLoad | null;
  readonly onPull: (progress: PullProgress) => void;
  readonly onFit: (answer: FitAnswer) => void;
  readonly onGrowth: (growth: ReplicaGrowth) => void;
}

type Executors = {
  readonly [Kind in StepKind]: (
    context: StepContext,
    step: StepOf<Kind>,
    signal: AbortSignal,
  ) => Promise<StepResult>;
};

const DONE: StepResult = { kind: 'done' };
const STOP_GRACE_SECONDS = 60;
/** Somebody waits for the card, and open requests had their time. */
const HELD_GRACE_SECONDS = 10;
const FIX_OF_MISSING_CARD =
  'Declare a card that this host has ("gpu": any, its index or its UUID), or another host; see that nvidia-smi works here.';

/** Carries a step out. Never rejects: what goes wrong is a result. */
export async function executeStep(
  context: StepContext,
  step: ContainerStep,
  signal: AbortSignal,
): Promise<StepResult> {
  try {
    return await run(context, step, signal);
  } catch (error) {
    const result = readStepError(step.kind, error, signal);
    return result.kind === 'failed' && result.trouble.code === 'port_in_use'
      ? nameHolder(context, result.trouble, signal)
      : result;
  }
}

async function nameHolder(
  { tools: { engine, memory }, desired }: StepContext,
  told: Trouble,
  signal: AbortSignal,
): Promise<StepResult> {
  const port = desired.port ?? memory.replica(desired.deployment).port;
  const holder = port === null ? null : await findPortHolder(engine, port, signal).catch(() => null);
  const who = holder === null ? 'a program of this host' : `the container ${holder}`;
  const detail = port === null ? told.detail : `Port ${port} is in use by ${who}: ${told.detail}`;
  return { kind: 'failed', trouble: { ...told, detail } };
}

function run<Kind extends StepKind>(
  context: StepContext,
  step: StepOf<Kind>,
  signal: AbortSignal,
): Promise<StepResult> {
  const execute: Executors[Kind] = executors[step.kind as Kind];
  return execute(context, step, signal);
}

const executors: Executors = {
  wait_until: ({ tools: { clock } }, { untilMs }, signal) =>
    new Promise((resolve) => {
      const finish = (): void => {
        timer?.cancel();
        resolve(DONE);
      };
      const timer = Number.isFinite(untilMs) ? clock.after(untilMs - clock.monotonicMs(), finish) : null;
      // Its own listener, which the next wait takes over: adding and removing one costs more than the wait does.
      signal.onabort = finish;
      if (signal.aborted) finish();
    }),
  probe_engine: async ({ tools: { census } }, _, signal) => {
    const probe = await unlessAborted(census.probe(), signal);
    if (probe === null) return { kind: 'aborted' };
    if (probe.reachable) return DONE;
    return { kind: 'engine_away', trouble: trouble(probe.code, probe.detail, { fix: probe.fix }) };
  },
  inspect: async (context, _, signal) => ({ kind: 'seen', seen: await seeContainer(context, signal) }),
  find_image: async ({ tools: { engine } }, { image }, signal) => {
    return { kind: 'image', present: (await engine.findImage(image, signal)) !== null };
  },
  check_disk: (context, { image }, signal) => checkDisk(context, image, signal),
  look_cache: (context, { fetches }, signal) => lookIntoCache(context, fetches, signal),
  pull: async ({ tools: { engine }, onPull }, { image }, signal) => {
    await engine.pull(image, { onProgress: onPull }, signal);
    return DONE;
  },
  check_fit: async ({ tools, desired, rung, onFit }, _, signal) => {
    await unlessAborted(tools.host.cardsAsked(), signal);
    const answer = await tools.recipe.fit(desired, rung, signal);
    if (signal.aborted) return { kind: 'aborted' };
    onFit(answer);
    if (answer.fit.verdict !== 'does_not_fit') return DONE;
    const fix = answer.cards.length === 0 ? FIX_OF_MISSING_CARD : null;
    return { kind: 'failed', trouble: trouble('vram_insufficient', answer.fit.detail, { fix }) };
  },
  create: async (context, _, signal) => createContainer(context, signal),
  start: async ({ tools: { engine } }, { id }, signal) => {
    await engine.start(id, signal);
    return DONE;
  },
  check_gpu: async ({ tools, desired, kept }, { id }, signal) => {
    const cards = tools.memory.replica(desired.deployment).cards;
    const wanted = kept?.adopted || cards.length === 0 ? null : cards;
    const missing = judgeGpuList(await listCards(tools.engine, id, signal), wanted);
    return missing === null ? DONE : { kind: 'gpu_missing', detail: missing };
  },
  list_models: look({ kind: 'list_models' }),
  check_health: look({ kind: 'check_health' }),
  prove: (context, _, signal) => {
    const { task, servedModel } = context.wanted;
    return look({ kind: 'prove', task, model: servedModel })(context, _, signal);
  },
  check_asleep: async ({ door }, _, signal) => door.isAsleep(signal),
  settle: () => Promise.resolve(DONE),
  drain: async ({ tools, desired: { deployment }, wanted, engineLoad }, _, signal) => {
    const { drainWithinSeconds } = wanted;
    await drainReplica(tools, { deployment, drainWithinSeconds }, engineLoad, signal);
    return signal.aborted ? { kind: 'aborted' } : DONE;
  },
  stop: async ({ tools: { engine }, wanted: { held } }, { id }, signal) => {
    await engine.stop(id, held === null ? STOP_GRACE_SECONDS : HELD_GRACE_SECONDS, signal);
    return DONE;
  },
  remove: async ({ tools: { engine } }, { id }, signal) => {
    await engine.remove(id, signal);
    return DONE;
  },
  park: async ({ door }, _, signal) => {
    await door.sleep(signal);
    return DONE;
  },
  unpark: async ({ door }, _, signal) => {
    await door.wakeUp(signal);
    return DONE;
  },
  adopt: async ({ tools: { memory, census, log }, desired: { deployment, adopt } }, { id, name }) => {
    memory.update(deployment, { adoptedId: id, adoptedAs: adopt });
    await memory.flush();
    census.judgeAgain();
    log.info({ deployment, container: name }, 'replica: adopted');
    return DONE;
  },
  read_end: async ({ tools, desired, kept }, { id }, signal) => {
    const lines = await readLastLines(tools.engine, id, signal);
    const end = readContainerEnd(
      { exitCode: kept?.exitCode ?? null, oomKilled: kept?.oomKilled ?? false },
      lines,
    );
    const told = trouble(end.code, end.line, { fix: end.fix, lastLines: lines.slice(-5) });
    if (kept?.offline && (end.code === 'hub_unreachable' || end.code === 'model_not_found')) {
      tools.memory.distrustWeights(desired.model, desired.revision);
    }
    return { kind: 'ended', trouble: told, outOfMemory: end.outOfMemory };
  },
  give_up: async ({ tools: { engine }, kept }, { code, detail, fix, stop }, signal) => {
    const lines = kept === null ? [] : await readLastLines(engine, kept.id, signal);
    if (stop !== null) await engine.stop(stop, STOP_GRACE_SECONDS, signal);
    const outOfMemory = stop !== null && (readEngineLog(lines)?.outOfMemory ?? false);
    const told = trouble(code, detail, { fix, lastLines: lines.slice(-5) });
    return { kind: 'failed', trouble: told, outOfMemory };
  },
  finish: ({ tools: { memory }, desired: { deployment } }) => {
    memory.forget(deployment);
    return Promise.resolve(DONE);
  },
};

/** For what others wait for too, and nobody can end alone. @returns `null` on the signal */
function unlessAborted<Value>(wait: Promise<Value>, signal: AbortSignal): Promise<Value | null> {
  return new Promise((resolve, reject) => {
    const leave = (): void => resolve(null);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    wait.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/** What cannot be run inside is as good as what is not there: the card comes with the program that lists it. */
async function listCards(engine: ContainerEngine, id: string, signal: AbortSignal): Promise<ExecResult> {
  try {
    return await engine.exec(id, ['nvidia-smi', '-L'], signal);
  } catch (error) {
    const isRefusal =
      error instanceof ContainerEngineError &&
      (error.code === 'engine_failed' || error.code === 'bad_request');
    if (!isRefusal) throw error;
    return { exitCode: 126, output: error.detail };
  }
}

function look(step: LookStep) {
  return async ({ door }: StepContext, _: unknown, signal: AbortSignal): Promise<StepResult> => {
    const result = await door.look(step, signal);
    return signal.aborted ? { kind: 'aborted' } : { kind: 'looked', look: result };
  };
}

/** Its key and its port are on the disk before it is made: a container whose key nobody knows is of no use. */
async function createContainer(
  { tools, desired, wanted, rung }: StepContext,
  signal: AbortSignal,
): Promise<StepResult> {
  const { engine, memory, recipe, hostId } = tools;
  const { deployment } = desired;
  const { key, cards } = memory.replica(deployment);
  const port = desired.port ?? (await tools.findPort());
  const spec = await recipe.build(desired, rung, { hostId, key, cards, port });
  memory.update(deployment, { port });
  await memory.flush();
  for (const { volume } of spec.volumes) await engine.ensureVolume(volume, {}, signal);
  const { id } = await engine.create(spec, signal);
  const details = await engine.inspect(id, signal);
  const claim = { deployment, hostId, adoptedId: null, adopt: null };
  const { image, reach } = desired;
  return {
    kind: 'created',
    seen: judgeContainer(details, claim, { image, specHash: wanted.specHash, reach }),
  };
}

function readStepError(step: StepKind, error: unknown, signal: AbortSignal): StepResult {
  if (signal.aborted) return { kind: 'aborted' };
  if (error instanceof RecipeError) return { kind: 'failed', trouble: error.trouble };
  if (!(error instanceof ContainerEngineError)) {
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', trouble: trouble('engine_crashed', `${step}: ${detail}`) };
  }
  switch (error.code) {
    case 'aborted':
      return { kind: 'aborted' };
    case 'timeout':
      if (step === 'pull') return failed(step, error);
      // Whether it came to be is seen when the engine answers again.
      return { kind: 'engine_away', trouble: readContainerError(step, error) };
    case 'unreachable':
      return { kind: 'engine_away', trouble: readContainerError(step, error) };
    case 'not_found':
    case 'conflict':
      // It went, or came, between the look and the step: looked at again.
      return step === 'pull' || step === 'create' ? failed(step, error) : { kind: 'changed' };
    case 'name_taken':
      return { kind: 'changed' };
    default:
      return failed(step, error);
  }
}

function failed(step: StepKind, error: ContainerEngineError): StepResult {
  return { kind: 'failed', trouble: readContainerError(step, error) };
}
