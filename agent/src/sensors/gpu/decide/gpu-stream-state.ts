import type { Issue } from '@ai-fabric/shared';
import type { ToolFailure } from './classify-tool-failure.js';
import type { QueryField } from './plan-query-fields.js';

/**
 * The life of the long-lived nvidia-smi child.
 * `absent`: no tool or no card; looked for again now and then. `resting`: between two runs. `finding`: the tool's
 * path is being looked up. `starting`: it runs and has said nothing yet. `running`: rows come. `stopping`: it was
 * killed and its end is awaited. `abandoned`: it did not die (an uninterruptible wait in a wedged driver); nothing is
 * started beside it until it is gone. `closed`: for good.
 */
type GpuStreamPhase =
  | 'absent'
  | 'resting'
  | 'finding'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'abandoned'
  | 'closed';

export interface GpuStreamState {
  readonly phase: GpuStreamPhase;
  /** Runs in a row that ended badly. */
  readonly attempt: number;
  /** Field spellings that this driver does not know. */
  readonly refused: readonly string[];
  /** PCI addresses of cards that make the whole command fail. */
  readonly excluded: readonly string[];
  readonly excludedAtMs: number;
  /** Lines in a row that were no rows. */
  readonly badLines: number;
  readonly startedAtMs: number;
  /** What is wrong with the tool as a whole; cleared by the next row. */
  readonly issue: Issue | null;
}

export type GpuStreamEvent =
  | { readonly type: 'opened' }
  /** The one timer fired. `blocked`: another nvidia-smi hangs and cannot be killed. */
  | { readonly type: 'timer'; readonly blocked: boolean }
  | { readonly type: 'tool_found'; readonly blocked: boolean }
  | { readonly type: 'tool_missing'; readonly issue: Issue }
  | { readonly type: 'row' }
  | { readonly type: 'bad_line'; readonly text: string }
  /** `others`: PCI addresses of cards that are not lost. */
  | { readonly type: 'exited'; readonly failure: ToolFailure; readonly others: readonly string[] }
  | { readonly type: 'close' };

export type GpuStreamEffect =
  | { readonly type: 'find_tool' }
  /** `only`: PCI addresses to ask for; empty is all. */
  | { readonly type: 'start'; readonly fields: readonly QueryField[]; readonly only: readonly string[] }
  | { readonly type: 'kill' }
  | { readonly type: 'abandon' }
  /** Replaces the one timer. */
  | { readonly type: 'timer'; readonly afterMs: number }
  /** Replaces the one timer by a jittered backoff. */
  | { readonly type: 'backoff'; readonly attempt: number };

export interface GpuStreamStep {
  readonly state: GpuStreamState;
  readonly effects: readonly GpuStreamEffect[];
  /** Set when the event does not belong to the phase: nothing changed. */
  readonly refused?: string;
}

/** Durations, in milliseconds. */
export interface GpuStreamTimes {
  /** From start to the first row. A cold driver can take more than 15 s. */
  readonly firstRowMs: number;
  /** Between rows. */
  readonly rowMs: number;
  /** From kill to exit. */
  readonly killMs: number;
  /** Between looks for a tool or card that is not there. */
  readonly absentMs: number;
  /** Between tries to see a lost card again that fails the whole command. */
  readonly reprobeMs: number;
  /** A run of this length counts as good: the backoff begins anew. */
  readonly healthyMs: number;
}

export const initialGpuStream: GpuStreamState = {
  phase: 'resting',
  attempt: 0,
  refused: [],
  excluded: [],
  excludedAtMs: 0,
  badLines: 0,
  startedAtMs: 0,
  issue: null,
};
