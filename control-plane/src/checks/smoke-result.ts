import type { Task } from '@ai-fabric/shared';

/**
 * `ok`: answered as it should be; `away`: everything of ours that serves it is away, as declared; `skipped`: only a
 * provider would answer, which was not asked, or it is busy or drained for now; `broken`: an answer was due.
 */
export type SmokeOutcome = 'ok' | 'away' | 'skipped' | 'broken';

/** One request of a smoke test. */
export interface SmokeRequest {
  readonly kind: 'role' | 'alias';
  readonly name: string;
  readonly task: Task;
  readonly stream: boolean;
  /** `null`: not declared, so not checked. */
  readonly expectedDimensions: number | null;
  /** Deployments that may serve it, each with whether its host may be away. */
  readonly deployments: ReadonlyMap<string, { readonly mayBeAway: boolean }>;
  /** Whether a sleeping host is woken for what it asks for, by what is declared. */
  readonly wakes: boolean;
}

/** What came of it, as a client sees it. */
export type SmokeAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly tookMs: number;
      /** `x-fabric-…` headers. */
      readonly host: string;
      readonly replica: string;
      readonly reason: string;
      readonly body: string;
    }
  | { readonly kind: 'failed'; readonly detail: string; readonly tookMs: number };

export interface SmokeResult {
  readonly kind: 'role' | 'alias';
  readonly name: string;
  readonly task: Task;
  readonly stream: boolean;
  readonly outcome: SmokeOutcome;
  /** Stable, for programs: `ok`, `host_away`, `local_only`, `empty_answer`, `wrong_dimensions`, … */
  readonly code: string;
  readonly what: string;
  readonly fix: string | null;
  /** `none` where nobody was asked. */
  readonly host: string;
  readonly replica: string;
  readonly latencyMs: number;
  /** Length of the vector of an embedding. */
  readonly dimensions: number | null;
}
