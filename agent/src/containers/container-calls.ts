import type { CdiSpecs } from './cdi-specs.js';
import type { ContainerDetails, ContainerSpec, ContainerSummary } from './container-engine.js';
import { ContainerEngineError } from './container-engine-error.js';
import { buildCreateCall, buildRemoveCall } from './decide/build-container-call.js';
import { readDetails, readSummary } from './decide/read-container.js';
import { type EngineCalls, LOOK_DEADLINE_MS, segment } from './engine-calls.js';

/** A container is made in no time, save where its image's layers are unpacked or a card wakes up. */
const MAKE_DEADLINE_MS = 120_000;
/** Beyond the grace: killing, and taking the network down. */
const STOP_MARGIN_MS = 30_000;

/** What is asked about containers, and done with them. */
export class ContainerCalls {
  readonly #calls: EngineCalls;
  readonly #cdiSpecs: CdiSpecs;

  constructor(calls: EngineCalls, cdiSpecs: CdiSpecs) {
    this.#calls = calls;
    this.#cdiSpecs = cdiSpecs;
  }

  async list(signal: AbortSignal): Promise<readonly ContainerSummary[]> {
    const path = '/containers/json?all=true';
    const answer = await this.#calls.askJson(look(path), signal);
    if (!Array.isArray(answer)) throw nonsense(path);
    return answer.map(readSummary).filter((summary) => summary !== null);
  }

  async inspect(idOrName: string, signal: AbortSignal): Promise<ContainerDetails | null> {
    const path = `/containers/${segment(idOrName)}/json`;
    const { status, text } = await this.#calls.ask({ ...look(path), fine: [404] }, signal);
    if (status === 404) return null;
    const details = readDetails(parse(text));
    if (details === null) throw nonsense(path);
    return details;
  }

  async create(spec: ContainerSpec, signal: AbortSignal): Promise<{ readonly id: string }> {
    const call = buildCreateCall(spec, await this.#calls.info(signal));
    const { path, body } = call;
    const answer = await this.#calls
      .askJson(
        {
          doing: 'create',
          method: 'POST',
          path,
          whole: call.whole,
          json: body,
          deadlineMs: MAKE_DEADLINE_MS,
        },
        signal,
      )
      .catch((error: unknown) => this.#lookAtCdi(error));
    const id = typeof answer === 'object' && answer !== null && 'Id' in answer ? answer.Id : null;
    if (typeof id !== 'string' || id === '') throw nonsense(path);
    return { id };
  }

  async start(id: string, signal: AbortSignal): Promise<void> {
    const path = `/containers/${segment(id)}/start`;
    await this.#calls
      .ask({ doing: 'start', method: 'POST', path, fine: [304], deadlineMs: MAKE_DEADLINE_MS }, signal)
      .catch((error: unknown) => this.#lookAtCdi(error));
  }

  async stop(id: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
    const grace = Math.max(0, Math.ceil(graceSeconds));
    const path = `/containers/${segment(id)}/stop?t=${grace}`;
    const deadlineMs = grace * 1000 + STOP_MARGIN_MS;
    await this.#calls.ask({ doing: 'other', method: 'POST', path, fine: [304], deadlineMs }, signal);
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    const call = buildRemoveCall(segment(id), await this.#calls.info(signal));
    try {
      await this.#calls.ask(
        { ...call, doing: 'other', method: 'DELETE', fine: [404], deadlineMs: MAKE_DEADLINE_MS },
        signal,
      );
    } catch (error) {
      const known = error instanceof ContainerEngineError && error.code === 'conflict';
      // Somebody else is at it: what was wanted comes about.
      if (!known || !/removal of container .* in progress/i.test(error.detail)) throw error;
    }
  }

  /** "Unresolvable" is said of a card that no spec knows, and of all cards where there is no spec. */
  async #lookAtCdi(error: unknown): Promise<never> {
    if (error instanceof ContainerEngineError && error.code === 'cdi_spec_missing') {
      const name = /nvidia\.com\/gpu=([\w-]+)/.exec(error.detail)?.[1] ?? '';
      if ((await this.#cdiSpecs.state(name)) !== 'no_spec') {
        throw new ContainerEngineError('cdi_spec_stale', error.detail, error.status);
      }
    }
    throw error;
  }
}

function look(path: string): { doing: 'other'; method: 'GET'; path: string; deadlineMs: number } {
  return { doing: 'other', method: 'GET', path, deadlineMs: LOOK_DEADLINE_MS };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function nonsense(path: string): ContainerEngineError {
  return new ContainerEngineError(
    'engine_failed',
    `The container engine’s answer to ${path} makes no sense.`,
  );
}
