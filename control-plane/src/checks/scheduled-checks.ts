import type { Timer } from '@ai-fabric/shared';
import { Cron } from 'croner';
import type { CheckSchedule } from '../declared/declared-state.js';
import type { CheckParts } from './check-parts.js';
import type { CheckKind, CheckRunner } from './check-runner.js';
import { compareFindings, isProblem } from './decide/compare-findings.js';
import { describeNews } from './decide/describe-news.js';
import { worstOf } from './decide/order-findings.js';
import { smokeFindings } from './decide/smoke-findings.js';
import type { Finding } from './finding.js';
import { postToWebhook } from './webhook.js';

/** Longer ones are waited for in steps: a timer of the system counts to 24 days. */
const MAX_WAIT_MS = 3_600_000;

type ScheduleParts = Pick<CheckParts, 'clock' | 'random' | 'log' | 'declared' | 'secrets'>;
type Runner = Pick<CheckRunner, 'records' | 'doctor' | 'smoke' | 'keepTold'>;

export interface WebhookState {
  readonly lastPostedAtMs: number | null;
  /** Why the last post came to nothing; `null`: it did not. */
  readonly lastProblem: string | null;
}

/** Runs the declared checks when they are due, and tells the declared webhook what changed. */
export class ScheduledChecks {
  readonly #parts: ScheduleParts;
  readonly #runner: Runner;
  readonly #timers = new Map<CheckKind, Timer>();
  readonly #due = new Map<CheckKind, number>();
  readonly #schedules = new Map<CheckKind, string>();
  readonly #unfollow: () => void;
  #webhook: WebhookState = { lastPostedAtMs: null, lastProblem: null };
  #closed = false;

  constructor(parts: ScheduleParts, runner: Runner) {
    this.#parts = parts;
    this.#runner = runner;
    this.#follow();
    this.#unfollow = parts.declared.onChange(() => this.#follow());
  }

  get webhook(): WebhookState {
    return this.#webhook;
  }

  /** Wall clock; `null`: not scheduled, or under way. */
  nextAtMs(kind: CheckKind): number | null {
    return this.#due.get(kind) ?? null;
  }

  close(): void {
    this.#closed = true;
    this.#unfollow();
    for (const timer of this.#timers.values()) timer.cancel();
  }

  /** A schedule that was not touched keeps its next time. */
  #follow(): void {
    for (const kind of ['doctor', 'smoke'] as const) {
      const schedule = this.#schedule(kind);
      const text = JSON.stringify(schedule);
      if (this.#schedules.get(kind) === text) continue;
      this.#schedules.set(kind, text);
      this.#timers.get(kind)?.cancel();
      this.#arm(kind, schedule);
    }
  }

  #schedule(kind: CheckKind): CheckSchedule | null {
    return this.#parts.declared.current().checks[kind];
  }

  #arm(kind: CheckKind, schedule: CheckSchedule | null): void {
    this.#due.delete(kind);
    if (schedule === null || this.#closed) return;
    const nowMs = this.#parts.clock.nowMs();
    const atMs = nextRunAtMs(schedule, nowMs);
    if (atMs === null) return;
    this.#due.set(kind, atMs);
    this.#wait(kind, atMs);
  }

  #wait(kind: CheckKind, atMs: number): void {
    const leftMs = Math.max(0, atMs - this.#parts.clock.nowMs());
    const timer = this.#parts.clock.after(Math.min(leftMs, MAX_WAIT_MS), () => {
      if (leftMs > MAX_WAIT_MS) this.#wait(kind, atMs);
      else void this.#run(kind);
    });
    this.#timers.set(kind, timer);
  }

  async #run(kind: CheckKind): Promise<void> {
    this.#due.delete(kind);
    const schedule = this.#schedules.get(kind);
    try {
      const { atMs, findings } = await this.#find(kind);
      if (!this.#closed) await this.#tell(kind, atMs, findings);
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#parts.log.error({ check: kind, error: detail }, 'a scheduled check failed');
    }
    // Declared anew in the meantime: then it is armed already.
    if (this.#schedules.get(kind) === schedule) this.#arm(kind, this.#schedule(kind));
  }

  async #find(kind: CheckKind): Promise<{ readonly atMs: number; readonly findings: readonly Finding[] }> {
    if (kind === 'doctor') return this.#runner.doctor(null, 'schedule');
    const { atMs, results } = await this.#runner.smoke({ cloud: false, wake: false }, 'schedule');
    return { atMs, findings: smokeFindings(results) };
  }

  /** What could not be told stays to be told: the next run is compared with what the webhook knows. */
  async #tell(kind: CheckKind, atMs: number, findings: readonly Finding[]): Promise<void> {
    const { webhook } = this.#parts.declared.current().checks;
    const difference = compareFindings(this.#runner.records.told[kind], findings);
    if (webhook === null || difference.appeared.length + difference.cleared.length === 0) return;
    const news = describeNews(kind, { atMs, worst: worstOf(findings) }, difference);
    const result = await postToWebhook(this.#parts, webhook, news, () => this.#closed);
    if (result.ok) {
      this.#webhook = { lastPostedAtMs: this.#parts.clock.nowMs(), lastProblem: null };
      this.#runner.keepTold(kind, findings.filter(isProblem));
      return;
    }
    this.#webhook = { ...this.#webhook, lastProblem: result.problem };
    this.#parts.log.warn({ check: kind, problem: result.problem }, 'the webhook was not told what changed');
  }
}

function nextRunAtMs(schedule: CheckSchedule, nowMs: number): number | null {
  if ('everySeconds' in schedule) return nowMs + schedule.everySeconds * 1000;
  return new Cron(schedule.cron, { paused: true }).nextRun(new Date(nowMs))?.getTime() ?? null;
}
