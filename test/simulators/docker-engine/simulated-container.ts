import { randomBytes } from 'node:crypto';
import type { ContainerProgram } from './options.js';

export interface CreateWish {
  readonly name: string;
  /** As it was asked for. */
  readonly image: string;
  /** Instead of the image's own; empty: that one. */
  readonly entrypoint: readonly string[];
  readonly argv: readonly string[];
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly { hostAddress: string; hostPort: number; containerPort: number }[];
  readonly volumes: readonly { volume: string; path: string }[];
  /** UUIDs, or `all`; what an engine forgets without a word is not in it. */
  readonly gpus: readonly string[];
  readonly tty: boolean;
  /** As it came, for `inspect` and tests. */
  readonly hostConfig: Readonly<Record<string, unknown>>;
}

export interface WrittenLine {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
  readonly atMs: number;
}

type State = 'created' | 'running' | 'paused' | 'exited';

/** A container of the simulated engine: what is known of it, and what it wrote. Who changes its state is the engine. */
export class SimulatedContainer {
  readonly id = randomBytes(32).toString('hex');
  readonly createdAtMs = Date.now();
  readonly wish: CreateWish;
  readonly imageId: string;
  /** What `nvidia-smi -L` sees inside; a test takes it away. */
  visibleUuids: readonly string[];
  state: State = 'created';
  exitCode = 0;
  oomKilled = false;
  startedAtMs: number | null = null;
  finishedAtMs: number | null = null;
  program: ContainerProgram | null = null;
  readonly written: WrittenLine[] = [];
  readonly #followers = new Set<(line: WrittenLine | null) => void>();

  constructor(wish: CreateWish, imageId: string, visibleUuids: readonly string[]) {
    this.wish = wish;
    this.imageId = imageId;
    this.visibleUuids = visibleUuids;
  }

  get name(): string {
    return this.wish.name;
  }

  get running(): boolean {
    return this.state === 'running' || this.state === 'paused';
  }

  /** Its environment, values included: a real engine tells them too. */
  get environment(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.wish.environment.map((entry) => {
        const at = entry.indexOf('=');
        return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
      }),
    );
  }

  /** Writes into its log; a line without its end is joined by what comes next, as it is for real. */
  log(text: string | Buffer, stream: WrittenLine['stream'] = 'stdout'): void {
    const line = { stream, bytes: Buffer.from(text), atMs: Date.now() };
    this.written.push(line);
    for (const follower of this.#followers) follower(line);
  }

  /** Hears of each line, and `null` when it has ended. @returns how to stop it */
  follow(follower: (line: WrittenLine | null) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  endFollowing(): void {
    for (const follower of this.#followers) follower(null);
    this.#followers.clear();
  }
}
