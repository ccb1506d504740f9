import type { Made } from '../../install-steps.js';

/** What an uninstall leaves there, unless it purges. */
export function kept(kind: Made['kind'], what: string): Made {
  return { kind, what, kept: true };
}

/** What every uninstall takes away. */
export function gone(kind: Made['kind'], what: string): Made {
  return { kind, what, kept: false };
}
