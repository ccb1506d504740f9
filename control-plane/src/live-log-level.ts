import type { Logger } from 'pino';
import { LOG_LEVELS, type LogLevel } from './config/control-plane-config.js';

/**
 * The level of the log, for all rooms at once. pino gives each child a level of its own when it is made, so those made
 * after this are known here. They are kept: a room makes its logger once, nothing makes one for a request or a link.
 */
export class LiveLogLevel {
  readonly #log: Logger;
  readonly #children: Logger[] = [];

  constructor(log: Logger) {
    this.#log = log;
    log.onChild = (child) => void this.#children.push(child);
  }

  get current(): LogLevel {
    return LOG_LEVELS.find((level) => level === this.#log.level) ?? 'info';
  }

  /** Until it is changed again or the program ends. The log tells of it, as long as either level shows `info`. */
  change(level: LogLevel): void {
    const from = this.current;
    if (level === from) return;
    const isShown = this.#log.isLevelEnabled('info');
    if (isShown) this.#log.info({ from, to: level }, 'the level of the log was changed');
    for (const log of [this.#log, ...this.#children]) log.level = level;
    if (!isShown) this.#log.info({ from, to: level }, 'the level of the log was changed');
  }
}
