import type { VolumeInfo } from './container-engine.js';
import { ContainerEngineError } from './container-engine-error.js';
import { readVolume } from './decide/read-image.js';
import { type EngineCalls, LOOK_DEADLINE_MS, segment } from './engine-calls.js';

/** A cache may hold a hundred gigabytes in as many files as a disk likes. */
const REMOVE_DEADLINE_MS = 180_000;

/** What is asked about volumes, and done with them. */
export class VolumeCalls {
  readonly #calls: EngineCalls;

  constructor(calls: EngineCalls) {
    this.#calls = calls;
  }

  async ensure(name: string, labels: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const there = await this.#calls.ask(
      {
        doing: 'volume',
        method: 'GET',
        path: `/volumes/${segment(name)}`,
        fine: [404],
        deadlineMs: LOOK_DEADLINE_MS,
      },
      signal,
    );
    if (there.status !== 404) return;
    // Podman refuses a name that somebody took meanwhile, Docker gives what is there.
    await this.#calls.ask(
      {
        doing: 'volume',
        method: 'POST',
        path: '/volumes/create',
        json: { Name: name, Labels: labels },
        fine: [409],
        deadlineMs: LOOK_DEADLINE_MS,
      },
      signal,
    );
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#calls.ask(
      {
        doing: 'volume',
        method: 'DELETE',
        path: `/volumes/${segment(name)}`,
        fine: [404],
        deadlineMs: REMOVE_DEADLINE_MS,
      },
      signal,
    );
  }

  async list(signal: AbortSignal): Promise<readonly VolumeInfo[]> {
    const answer = await this.#calls.askJson(
      { doing: 'volume', method: 'GET', path: '/volumes', deadlineMs: LOOK_DEADLINE_MS },
      signal,
    );
    if (typeof answer !== 'object' || answer === null || !('Volumes' in answer)) {
      throw new ContainerEngineError(
        'engine_failed',
        'The container engine’s list of volumes makes no sense.',
      );
    }
    const volumes: unknown = answer.Volumes;
    return (Array.isArray(volumes) ? volumes : []).map(readVolume).filter((volume) => volume !== null);
  }
}
