import type { InstallRefusal, InstallStep } from './install-steps.js';

/** A step that failed. What was done before stands and is recorded: the next install goes on from there. */
export class InstallStepError extends Error {
  override readonly name = 'InstallStepError';
  readonly step: InstallStep;
  /** What became of the agent that was stopped for it, in a sentence; `null`: none was. */
  readonly aftermath: string | null;

  constructor(step: InstallStep, cause: unknown, aftermath: string | null = null) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.step = step;
    this.aftermath = aftermath;
  }
}

/** Nothing was done, and why. */
export class InstallRefusedError extends Error {
  override readonly name = 'InstallRefusedError';
  readonly refusals: readonly InstallRefusal[];

  constructor(refusals: readonly InstallRefusal[]) {
    super(refusals.map(({ detail, fix }) => `${detail}\n  → ${fix}`).join('\n'));
    this.refusals = refusals;
  }
}

/** Somebody wanted it to stop, between two of its steps or within one. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor() {
    super('interrupted.');
  }
}
