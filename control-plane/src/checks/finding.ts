export type FindingSeverity = 'ok' | 'info' | 'warning' | 'error';

export type FindingPlace = 'control plane' | 'provider' | 'host' | 'deployment' | 'role' | 'alias';

/** One thing that a check saw, good or bad. Holds no secret: it is printed, posted and put into bundles. */
export interface Finding {
  /** Stable, for programs. */
  readonly code: string;
  readonly severity: FindingSeverity;
  readonly where: { readonly kind: FindingPlace; readonly name: string };
  /** What was seen, in words for the operator. */
  readonly what: string;
  /** What mends it, where there is something to mend. */
  readonly fix: string | null;
  /** How long what was asked took to answer; `null` where nothing was asked. */
  readonly latencyMs: number | null;
}

export function finding(
  severity: FindingSeverity,
  code: string,
  where: Finding['where'],
  what: string,
  more: { readonly fix?: string; readonly latencyMs?: number } = {},
): Finding {
  return { code, severity, where, what, fix: more.fix ?? null, latencyMs: more.latencyMs ?? null };
}

export const CONTROL_PLANE: Finding['where'] = { kind: 'control plane', name: 'control plane' };
