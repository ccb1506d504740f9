import type { Clock, Timer } from '@ai-fabric/shared';
import { type RunTool, runTool } from '../../identity/run-tool.js';
import { parseLoginctl, parseSessionIds } from './decide/parse-loginctl.js';
import { parseQueryUser } from './decide/parse-query-user.js';
import { type SessionFacts, UNKNOWN_SESSIONS } from './decide/session-facts.js';

export interface SessionWatchOptions {
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly clock: Clock;
  readonly run?: RunTool;
}

const EVERY_MS = 30_000;
/** After a failure: where there is no such program, there will be none soon. */
const AGAIN_MS = 600_000;
const MOST_SESSIONS = 32;
const PROPERTIES = ['Class', 'Remote', 'State', 'IdleHint'].flatMap((name) => ['-p', name]);

/** Looks now and then who is at the machine. */
export class SessionWatch {
  readonly #options: SessionWatchOptions;
  readonly #run: RunTool;
  #facts = UNKNOWN_SESSIONS;
  #timer: Timer | null = null;
  #closed = false;

  constructor(options: SessionWatchOptions) {
    this.#options = options;
    this.#run = options.run ?? runTool;
  }

  get facts(): SessionFacts {
    return this.#facts;
  }

  start(): void {
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    let nextMs = EVERY_MS;
    try {
      this.#facts = await this.#ask();
    } catch {
      this.#facts = UNKNOWN_SESSIONS;
      nextMs = AGAIN_MS;
    }
    if (!this.#closed) this.#timer = this.#options.clock.after(nextMs, () => void this.#look());
  }

  async #ask(): Promise<SessionFacts> {
    const { platform, windowsDirectory } = this.#options;
    if (platform === 'win32') return parseQueryUser(await this.#queryUser(windowsDirectory));
    const ids = parseSessionIds(await this.#run('loginctl', ['list-sessions', '--no-legend', '--no-pager']));
    if (ids.length === 0) return { present: false, remoteSession: false };
    const shown = ids.slice(0, MOST_SESSIONS);
    return parseLoginctl(
      await this.#run('loginctl', ['show-session', '--no-pager', ...PROPERTIES, ...shown]),
    );
  }

  /** It ends with 1 where nobody is signed in, and says so. */
  #queryUser(windowsDirectory: string): Promise<string> {
    const quser = `${windowsDirectory}\\System32\\quser.exe`;
    return this.#run(quser, []).catch((error: unknown) => {
      if (exitCodeOf(error) === 1) return '';
      throw error;
    });
  }
}

function exitCodeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}
