import type { Clock } from '@ai-fabric/shared';

/** What one window of a limit holds. */
interface Allowance {
  readonly limit: number;
  used: number;
}

/** OpenAI's limits per window (a minute of theirs), as fixed windows, and the headers that tell them. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #requests: Allowance;
  readonly #tokens: Allowance;
  readonly #windowMs: number;
  #windowStartMs: number;

  constructor(
    clock: Clock,
    limits: { requestsPerMinute: number; tokensPerMinute: number; limitWindowMs: number },
  ) {
    this.#clock = clock;
    this.#windowMs = limits.limitWindowMs;
    this.#requests = { limit: limits.requestsPerMinute, used: 0 };
    this.#tokens = { limit: limits.tokensPerMinute, used: 0 };
    this.#windowStartMs = clock.monotonicMs();
  }

  /** @returns `null` when there was room, which is then taken; else which limit is reached */
  take(tokens: number): 'requests' | 'tokens' | null {
    this.#turn();
    if (this.#requests.used + 1 > this.#requests.limit) return 'requests';
    if (this.#tokens.used + tokens > this.#tokens.limit) return 'tokens';
    this.#requests.used += 1;
    this.#tokens.used += tokens;
    return null;
  }

  secondsToReset(): number {
    return Math.ceil((this.#windowStartMs + this.#windowMs - this.#clock.monotonicMs()) / 1000);
  }

  headers(): Record<string, string> {
    const reset = duration(this.secondsToReset());
    return {
      'x-ratelimit-limit-requests': String(this.#requests.limit),
      'x-ratelimit-remaining-requests': String(this.#requests.limit - this.#requests.used),
      'x-ratelimit-reset-requests': reset,
      'x-ratelimit-limit-tokens': String(this.#tokens.limit),
      'x-ratelimit-remaining-tokens': String(Math.max(0, this.#tokens.limit - this.#tokens.used)),
      'x-ratelimit-reset-tokens': reset,
    };
  }

  #turn(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowStartMs < this.#windowMs) return;
    this.#windowStartMs = nowMs;
    this.#requests.used = 0;
    this.#tokens.used = 0;
  }
}

/** As OpenAI prints it: `8s`, `1m0s`. */
function duration(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
