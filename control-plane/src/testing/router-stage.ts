import type { Clock, EngineReading, Random } from '@ai-fabric/shared';
import { pino } from 'pino';
import type { ResolvedModel } from '../declared/declared-state.js';
import { createRouter, type RunningRouter } from '../router/create-router.js';
import { FakeDeclared, FakeLive } from '../router/testing/fake-fabric.js';
import { deploymentOf, roleOf, stateOf } from '../router/testing/router-fixtures.js';

/** A replica of the stage, each on a host of its own. */
export interface StagedReplica {
  readonly deployment: string;
  readonly slots: number;
  readonly isReady: boolean;
}

export interface RouterStageDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Runs something as soon as the caller's stack is done. */
  readonly defer: (run: () => void) => void;
}

const ROLE = 'chat';

/** The router as the program runs it, over one role and a live view that is written by hand: for benchmarks. */
export class RouterStage {
  readonly router: RunningRouter;
  /** The role, as a request names it. */
  readonly resolved: ResolvedModel;
  readonly #live = new FakeLive();
  readonly #clock: Clock;

  constructor(replicas: readonly StagedReplica[], deps: RouterStageDeps) {
    this.#clock = deps.clock;
    const deployments = replicas.map(({ deployment, slots }) =>
      deploymentOf(deployment, { host: hostOf(deployment), maxConcurrent: slots }),
    );
    const names = replicas.map(({ deployment }) => deployment);
    const declared = new FakeDeclared(stateOf({ deployments, roles: [roleOf(ROLE, names)] }));
    for (const { deployment, isReady } of replicas) {
      this.#live.setHost(hostOf(deployment), { presence: 'online' });
      this.phase(deployment, isReady ? 'ready' : 'loading');
    }
    const log = pino({ level: 'silent' });
    this.router = createRouter({ declared, live: this.#live, secrets: { has: () => false }, log, ...deps });
    const resolved = this.router.resolve(ROLE);
    if (resolved === undefined) throw new Error(`${ROLE} is not known`);
    this.resolved = resolved;
  }

  /** What its agent says of a replica. */
  phase(deployment: string, phase: 'ready' | 'loading'): void {
    this.#live.setStatus(deployment, hostOf(deployment), { phase });
  }

  /** What its agent read just now. */
  reading(deployment: string, reading: EngineReading): void {
    this.#live.setReading(deployment, reading, this.#clock.nowMs());
  }
}

function hostOf(deployment: string): string {
  return `host-of-${deployment}`;
}
