import type { Clock, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { SecretReference } from '../declared/declared-state.js';
import { describeReference } from './decide/describe-reference.js';
import { readVariable } from './decide/read-variable.js';
import { type RememberedSecret, type SecretLook, takeLook } from './decide/take-look.js';
import type { Environment } from './environment.js';
import type { SecretProblem, SecretResult } from './secret-result.js';
import type { LookAt } from './secret-sources.js';

/** Never waits: what it answers is in memory. */
export interface SecretReader {
  read(reference: SecretReference): SecretResult;
  has(reference: SecretReference): boolean;
  /** Why its place fails while what was last read there goes on being used; `null`: it does not. */
  failing(reference: SecretReference): SecretProblem | null;
  /** These are read now and again and again; others are forgotten. Resolves when each was looked at once. */
  watch(references: readonly SecretReference[]): Promise<void>;
  close(): void;
}

export interface SecretReaderParts {
  /** The process's environment as it was at start. */
  readonly env: Environment;
  readonly lookAt: LookAt;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A file that was replaced works within seconds. */
const LOOK_AGAIN_MS = 5_000;
/** A vault counts what it is asked. */
const VAULT_AGAIN_MS = 300_000;
const FAILED_VAULT_AGAIN_MS = 30_000;

const NOT_READ_YET: SecretResult = {
  ok: false,
  code: 'not_read_yet',
  detail: 'it is being read for the first time; come again in a moment',
};

interface Entry {
  readonly reference: SecretReference;
  remembered: RememberedSecret | null;
  nextLookAtMs: number;
  /** Under way; a look that hangs is not followed by another. */
  look: Promise<void> | null;
}

/**
 * Secrets where the declared state says that they are, looked at in the background and held in memory. One whose place
 * fails is used as it last was, which is said once. Nothing of a secret is written anywhere, least of all a log.
 */
export function createSecretReader(parts: SecretReaderParts): SecretReader {
  return new WatchingReader(parts);
}

class WatchingReader implements SecretReader {
  readonly #parts: SecretReaderParts;
  #entries = new Map<string, Entry>();
  /** The declared state's references are objects that live as long as it does. */
  readonly #ids = new WeakMap<SecretReference, string>();
  readonly #timer: Timer;

  constructor(parts: SecretReaderParts) {
    this.#parts = parts;
    this.#timer = parts.clock.every(LOOK_AGAIN_MS, () => this.#lookAgain());
  }

  read(reference: SecretReference): SecretResult {
    if ('env' in reference) return readVariable(this.#parts.env, reference.env);
    return this.#entries.get(this.#idOf(reference))?.remembered?.result ?? NOT_READ_YET;
  }

  has(reference: SecretReference): boolean {
    return this.read(reference).ok;
  }

  failing(reference: SecretReference): SecretProblem | null {
    if ('env' in reference) return null;
    const remembered = this.#entries.get(this.#idOf(reference))?.remembered;
    return remembered?.result.ok ? remembered.failing : null;
  }

  async watch(references: readonly SecretReference[]): Promise<void> {
    const before = this.#entries;
    this.#entries = new Map();
    for (const reference of references) {
      if ('env' in reference) continue;
      const id = this.#idOf(reference);
      const known = before.get(id);
      const entry = known ?? { reference, remembered: null, nextLookAtMs: 0, look: null };
      this.#entries.set(id, entry);
      if (known === undefined) this.#look(entry);
    }
    await Promise.all([...this.#entries.values()].map(({ remembered, look }) => remembered === null && look));
  }

  close(): void {
    this.#timer.cancel();
  }

  #lookAgain(): void {
    // What falls due within half a round is looked at in this one, so that a timer a little early misses none.
    const dueMs = this.#parts.clock.monotonicMs() + LOOK_AGAIN_MS / 2;
    for (const entry of this.#entries.values()) if (dueMs >= entry.nextLookAtMs) this.#look(entry);
  }

  #look(entry: Entry): void {
    if (entry.look !== null) return;
    const version = entry.remembered?.version ?? null;
    const startedAtMs = this.#parts.clock.monotonicMs();
    entry.look = this.#parts.lookAt(entry.reference, version).then((look) => {
      entry.look = null;
      this.#take(entry, look, startedAtMs);
    });
  }

  #take(entry: Entry, look: SecretLook | null, startedAtMs: number): void {
    const { log } = this.#parts;
    const { remembered, told } = look === null ? { ...entry, told: null } : takeLook(entry.remembered, look);
    const isWell = remembered?.failing === null;
    entry.remembered = remembered;
    entry.nextLookAtMs = startedAtMs + againMs(entry.reference, isWell);
    const secret = describeReference(entry.reference);
    if (told?.kind === 'failing') {
      const { code, detail, isUsedAsItWas } = told;
      log.warn({ secret, code, detail, isUsedAsItWas }, 'a secret cannot be read');
    } else if (told?.kind === 'recovered') log.info({ secret }, 'a secret can be read again');
    else if (told?.kind === 'replaced') log.info({ secret }, 'a secret was replaced');
  }

  #idOf(reference: SecretReference): string {
    const known = this.#ids.get(reference);
    if (known !== undefined) return known;
    const id = describeReference(reference);
    this.#ids.set(reference, id);
    return id;
  }
}

function againMs(reference: SecretReference, isWell: boolean): number {
  if (!('azureKeyVault' in reference)) return LOOK_AGAIN_MS;
  return isWell ? VAULT_AGAIN_MS : FAILED_VAULT_AGAIN_MS;
}
