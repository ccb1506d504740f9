import { type Clock, SlotList, type Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { InflightRange } from './decide/estimate-external-load.js';
import { InflightHistory } from './inflight-history.js';
import type { Work, WorkEnd } from './predict/replica-work.js';
import type { SentToProvider } from './provider-limits.js';
import type { AttemptOutcome, Claim, ToldLimits } from './route-types.js';
import type { LedgerSettings } from './router-settings.js';

/** What is counted for one target. Everybody but the ledger only reads it. */
export interface Account {
  readonly target: string;
  /** Open claims. */
  readonly inflight: number;
  /** Running mean of how long claims that succeeded were held; `null` before the first. */
  readonly meanHoldMs: number | null;
  readonly reapedTotal: number;
  /** Our own count over a stretch of monotonic time; `null`: longer ago than is remembered. */
  inflightRange(fromMs: number, toMs: number): InflightRange | null;
}

/** Told of what happens to a claim. Called synchronously; must not throw. */
export interface ClaimObserver {
  /** Once for each claim. */
  answered(isProbe: boolean): void;
  /** @param hasAnswered whether `answered` was told before */
  released(isProbe: boolean, outcome: AttemptOutcome, hasAnswered: boolean): void;
}

export interface LedgerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: LedgerSettings;
}

/**
 * Counts what is in flight at each target, by claims. The count of a target is the number of its open claims, at
 * every moment: it is never set from outside, a claim is taken off exactly once, and a claim that its holder
 * lost is taken off by the reaper.
 */
export class Ledger {
  readonly #deps: LedgerDeps;
  readonly #accounts = new Map<string, TargetAccount>();
  readonly #open = new SlotList<'slot', LedgerClaim>('slot');
  readonly #reaper: Timer;
  #deadlineMs: number;
  #reapedTotal = 0;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
    this.#deadlineMs = deps.settings.leastDeadlineMs;
    this.#reaper = deps.clock.every(deps.settings.reapEveryMs, () => this.#reap());
  }

  /** Ends the reaper. Open claims may still be released. */
  close(): void {
    this.#reaper.cancel();
  }

  get openClaims(): number {
    return this.#open.size;
  }

  get reapedTotal(): number {
    return this.#reapedTotal;
  }

  accounts(): Iterable<Account> {
    return this.#accounts.values();
  }

  account(target: string): Account {
    return this.#account(target);
  }

  /**
   * How old a claim may become before it counts as lost. To be longer than any request can last.
   * Applies to open claims too.
   */
  setDeadline(ms: number): void {
    this.#deadlineMs = Math.max(ms, this.#deps.settings.leastDeadlineMs);
  }

  /**
   * Takes one slot, or returns `null` when all `slots` are taken (`null`: unbounded).
   *
   * @param isProbe handed back to the observer, unread
   */
  claim(target: string, slots: number | null, isProbe: boolean, observer: ClaimObserver): LedgerClaim | null {
    const account = this.#account(target);
    if (slots !== null && account.inflight >= slots) return null;
    const nowMs = this.#deps.clock.monotonicMs();
    const claim = new LedgerClaim(account, isProbe, nowMs, observer, this.#settle, this.#deps.clock);
    this.#open.add(claim);
    account.change(+1, nowMs);
    return claim;
  }

  /** Forgets idle targets that are not to be kept; one with open claims goes when its last one ends. */
  retain(isKept: (target: string) => boolean): void {
    for (const account of this.#accounts.values()) {
      account.retired = !isKept(account.target);
      this.#dropIfDone(account);
    }
  }

  #account(target: string): TargetAccount {
    let account = this.#accounts.get(target);
    if (account === undefined) {
      account = new TargetAccount(target, this.#deps.settings);
      this.#accounts.set(target, account);
    }
    return account;
  }

  readonly #settle = (claim: LedgerClaim, outcome: AttemptOutcome): void => {
    this.#open.remove(claim);
    const nowMs = this.#deps.clock.monotonicMs();
    const { account } = claim;
    account.change(-1, nowMs);
    if (outcome.kind === 'succeeded') account.held(nowMs - claim.takenAtMs);
    claim.work?.ended(endOf(outcome), nowMs);
    claim.sent?.settle(null);
    claim.onEnd?.(nowMs);
    this.#dropIfDone(account);
  };

  #dropIfDone(account: TargetAccount): void {
    if (account.retired && account.inflight === 0) this.#accounts.delete(account.target);
  }

  #reap(): void {
    const takenBeforeMs = this.#deps.clock.monotonicMs() - this.#deadlineMs;
    const reaped = new Map<string, number>();
    this.#open.forEach((claim) => {
      if (claim.takenAtMs > takenBeforeMs) return;
      claim.account.reapedTotal += 1;
      this.#reapedTotal += 1;
      reaped.set(claim.target, (reaped.get(claim.target) ?? 0) + 1);
      // Says nothing of the engine: what went wrong is on our side.
      claim.release({ kind: 'neutral' });
    });
    if (reaped.size === 0) return;
    this.#deps.log.error(
      { reaped: Object.fromEntries(reaped), deadlineSeconds: this.#deadlineMs / 1000 },
      'claims were never released by who held them and were taken off by the reaper: this is a bug',
    );
  }
}

const SAYS_NOTHING: AttemptOutcome = { kind: 'neutral' };
const BROKEN: WorkEnd = { kind: 'broken' };

function endOf(outcome: AttemptOutcome): WorkEnd {
  if (outcome.kind !== 'succeeded') return BROKEN;
  const { promptTokens, completionTokens, cachedTokens = null, wasPaused = false } = outcome;
  return { kind: 'whole', promptTokens, completionTokens, cachedTokens, wasPaused };
}

class TargetAccount implements Account {
  readonly target: string;
  readonly #history: InflightHistory;
  readonly #smoothing: number;
  inflight = 0;
  meanHoldMs: number | null = null;
  reapedTotal = 0;
  /** No longer declared. */
  retired = false;

  constructor(target: string, settings: LedgerSettings) {
    this.target = target;
    this.#history = new InflightHistory(settings.historyStepMs, settings.historySteps);
    this.#smoothing = settings.holdSmoothing;
  }

  inflightRange(fromMs: number, toMs: number): InflightRange | null {
    return this.#history.range(fromMs, toMs);
  }

  change(by: 1 | -1, nowMs: number): void {
    this.inflight += by;
    this.#history.record(nowMs, this.inflight);
  }

  held(ms: number): void {
    this.meanHoldMs =
      this.meanHoldMs === null ? ms : this.meanHoldMs + (ms - this.meanHoldMs) * this.#smoothing;
  }
}

export class LedgerClaim implements Claim {
  slot = -1;
  /** What its request is to its engine's model; told of all that becomes of the claim. */
  work: Work | null = null;
  /** Of a claim on a provider. */
  sent: SentToProvider | null = null;
  /** Told once when it is released, monotonic milliseconds. */
  onEnd: ((nowMs: number) => void) | null = null;
  /** Its engine answers without its card: that it does says nothing of how the card is, or how long answers take. */
  asksNoCard = false;
  readonly account: TargetAccount;
  readonly takenAtMs: number;
  readonly #isProbe: boolean;
  readonly #observer: ClaimObserver;
  readonly #settle: (claim: LedgerClaim, outcome: AttemptOutcome) => void;
  readonly #clock: Clock;
  #isOpen = true;
  #hasAnswered = false;

  constructor(
    account: TargetAccount,
    isProbe: boolean,
    takenAtMs: number,
    observer: ClaimObserver,
    settle: (claim: LedgerClaim, outcome: AttemptOutcome) => void,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.account = account;
    this.takenAtMs = takenAtMs;
    this.#isProbe = isProbe;
    this.#observer = observer;
    this.#settle = settle;
  }

  get target(): string {
    return this.account.target;
  }

  answered(): void {
    if (!this.#isOpen || this.#hasAnswered || this.asksNoCard) return;
    this.#hasAnswered = true;
    this.work?.firstByte(this.#clock.monotonicMs());
    this.#observer.answered(this.#isProbe);
  }

  progressed(events: number): void {
    if (this.#isOpen) this.work?.progressed(events);
  }

  limitsTold(told: ToldLimits): void {
    if (this.#isOpen) this.sent?.settle(told);
  }

  release(told: AttemptOutcome): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const outcome = this.asksNoCard && told.kind === 'succeeded' ? SAYS_NOTHING : told;
    this.#settle(this, outcome);
    this.#observer.released(this.#isProbe, outcome, this.#hasAnswered);
  }
}
