import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./slow-cable.py', import.meta.url));

export interface CableTerms {
  /** What every frame takes at least, one way. */
  readonly delayMs: number;
  /** What it may take more, each by itself, so that later ones overtake earlier ones. */
  readonly jitterMs: number;
}

export interface CableTally {
  /** Frames, both ways. */
  readonly carried: number;
  /** Of these so many came after one that had left later. */
  readonly overtaken: number;
}

/** A cable between two cards of a namespace that takes its time. */
export class SlowCable {
  readonly #child: ChildProcess;
  #tally: CableTally | null = null;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @throws Error with its exit code where it cannot be laid */
  static async lay(
    namespace: string,
    cards: readonly [string, string],
    { delayMs, jitterMs }: CableTerms,
  ): Promise<SlowCable> {
    const command = ['python3', PROGRAM, ...cards, String(delayMs), String(jitterMs)];
    const child = spawn('ip', ['netns', 'exec', namespace, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const cable = new SlowCable(child);
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      cable.#tally = JSON.parse(line) as CableTally;
    });
    await Promise.race([once(lines, 'line'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error(`a cable that is none: it ended with ${child.exitCode}`);
    return cable;
  }

  get tally(): CableTally {
    return this.#tally ?? { carried: 0, overtaken: 0 };
  }

  /** Nothing comes through any more. */
  cut(): void {
    this.#child.kill('SIGKILL');
  }
}
