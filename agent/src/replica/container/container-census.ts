import type { Clock, Orphan, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type {
  ContainerEngine,
  ContainerEngineProbe,
  ContainerHappening,
  ContainerSummary,
} from '../../containers/container-engine.js';
import { ContainerEngineError } from '../../containers/container-engine-error.js';
import { labelNames } from './decide/judge-container.js';
import { listOrphans } from './decide/list-orphans.js';

/** A keeper's ear: what happened to a container may concern its own. */
export interface ContainerWatcher {
  /** Whether this container, by id or name, is the one that it looks at. */
  concerns(container: { readonly id: string; readonly name: string }): boolean;
  /** Look at it anew. `died`: at once, whatever is under way. */
  happened(died: boolean): void;
}

export interface ContainerCensusOptions {
  readonly engine: Pick<ContainerEngine, 'probe' | 'list' | 'events' | 'stop' | 'remove'>;
  readonly hostId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when the orphans are others than before. */
  readonly onOrphans: () => void;
  /** Whether another container, made by somebody else, stands for this deployment. */
  readonly hasAdopted: (deployment: string) => boolean;
  /** Called with what comes of each look for the engine. */
  readonly onProbed?: (probe: ContainerEngineProbe) => void;
}

/** Events may be lost all the same: what is there is compared with what was heard. */
const LIST_PERIOD_MS = 60_000;
/** An engine that went away is no event, and idle replicas do not ask it anything. */
const PING_PERIOD_MS = 10_000;
const GRACE_SECONDS = 60;

/** One list and one stream of events for all keepers of this host. */
export class ContainerCensus {
  readonly #options: ContainerCensusOptions;
  readonly #watchers = new Set<ContainerWatcher>();
  readonly #closing = new AbortController();
  #declared: ReadonlySet<string> | null = null;
  #orphans: readonly Orphan[] = [];
  #known = new Map<string, string>();
  #probing: Promise<ContainerEngineProbe> | null = null;
  #listing: Promise<void> | null = null;
  readonly #timers: Timer[] = [];
  #isAway = false;
  #listening: Promise<void> | null = null;

  constructor(options: ContainerCensusOptions) {
    this.#options = options;
  }

  /** From the first watcher on. An engine that nobody needs, and that may not even be there, is not waited for. */
  watch(watcher: ContainerWatcher): { stop(): void } {
    this.#watchers.add(watcher);
    if (this.#listening === null && !this.#closing.signal.aborted) {
      this.#listening = this.#listen();
      this.#every(PING_PERIOD_MS, () => this.#ping());
    }
    return { stop: () => void this.#watchers.delete(watcher) };
  }

  /** All who ask at the same time share one answer. */
  probe(): Promise<ContainerEngineProbe> {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = null;
    });
    return this.#probing;
  }

  /** Which deployments are declared: a container of another is an orphan. Before the first word nothing is one. */
  declare(deployments: ReadonlySet<string>): void {
    if (this.#declared === null) this.#every(LIST_PERIOD_MS, () => this.#list());
    this.#declared = deployments;
    void this.#list();
  }

  /** What stands for a deployment is another container now: one may have become an orphan, or be one no more. */
  judgeAgain(): void {
    void this.#list();
  }

  orphans(): readonly Orphan[] {
    return this.#orphans;
  }

  /** Ends and removes those of the ids that are orphans; any other is left alone. @returns what went wrong, by id */
  async removeOrphans(ids: readonly string[]): Promise<readonly string[]> {
    const { engine, log } = this.#options;
    await this.#list();
    const { signal } = this.#closing;
    const problems: string[] = [];
    for (const id of ids) {
      const orphan = this.#orphans.find(({ containerId }) => containerId === id);
      if (orphan === undefined) {
        problems.push(`${id.slice(0, 12)} is no orphan of this host`);
        continue;
      }
      try {
        await engine.stop(id, GRACE_SECONDS, signal);
        await engine.remove(id, signal);
        log.info({ container: orphan.name }, 'replicas: an orphan was removed');
      } catch (error) {
        problems.push(`${orphan.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    await this.#list();
    return problems;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const timer of this.#timers) timer.cancel();
    await Promise.all([this.#listening, this.#listing]);
  }

  async #probe(): Promise<ContainerEngineProbe> {
    const probe = await this.#options.engine.probe(this.#closing.signal);
    this.#options.onProbed?.(probe);
    return probe;
  }

  #every(periodMs: number, act: () => Promise<void>): void {
    if (!this.#closing.signal.aborted)
      this.#timers.push(this.#options.clock.every(periodMs, () => void act()));
  }

  async #listen(): Promise<void> {
    const { engine, log } = this.#options;
    try {
      for await (const event of engine.events(this.#closing.signal)) {
        if (this.#closing.signal.aborted) return;
        if (event.kind === 'resynced') await this.#list();
        else this.#hear(event);
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) log.error({ err: error }, 'replicas: the stream of events ended');
    }
  }

  /** Tells all keepers once that the engine went away: they look, and say why. */
  async #ping(): Promise<void> {
    if (this.#watchers.size === 0) return;
    const probe = await this.probe().catch(() => null);
    if (probe === null || this.#closing.signal.aborted) return;
    const wasAway = this.#isAway;
    this.#isAway = !probe.reachable;
    if (this.#isAway && !wasAway) for (const watcher of this.#watchers) watcher.happened(false);
  }

  #hear(event: ContainerHappening): void {
    const died = event.kind === 'die' || event.kind === 'oom' || event.kind === 'remove';
    for (const watcher of this.#watchers) if (watcher.concerns(event)) watcher.happened(died);
    const ends = event.kind === 'create' || event.kind === 'remove';
    if (ends && event.labels[labelNames.deployment] !== undefined) this.#list();
  }

  /** Reads all containers; many who ask at once share one list, and one more follows it. */
  #list(): Promise<void> {
    this.#listing ??= this.#readList().finally(() => {
      this.#listing = null;
    });
    return this.#listing;
  }

  async #readList(): Promise<void> {
    const { engine, log } = this.#options;
    try {
      this.#take(await engine.list(this.#closing.signal));
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const code = error instanceof ContainerEngineError ? error.code : String(error);
      log.debug({ code }, 'replicas: the containers cannot be listed');
    }
  }

  #take(containers: readonly ContainerSummary[]): void {
    const before = this.#known;
    this.#known = new Map(containers.map(({ id, name, state }) => [`${id} ${name}`, state]));
    const changed = [...new Set([...before.keys(), ...this.#known.keys()])].filter(
      (key) => before.get(key) !== this.#known.get(key),
    );
    for (const key of changed) {
      const [id = '', name = ''] = key.split(' ');
      for (const watcher of this.#watchers) if (watcher.concerns({ id, name })) watcher.happened(false);
    }
    this.#judgeOrphans(containers);
  }

  #judgeOrphans(containers: readonly ContainerSummary[]): void {
    const declared = this.#declared;
    if (declared === null) return;
    const { hostId, hasAdopted } = this.#options;
    const isKept = (deployment: string): boolean => declared.has(deployment) && !hasAdopted(deployment);
    const orphans = listOrphans(containers, hostId, isKept);
    const same = JSON.stringify(orphans) === JSON.stringify(this.#orphans);
    this.#orphans = orphans;
    if (!same) this.#options.onOrphans();
  }
}
