import type { RequestOutcome } from '../../../registry/request-types.js';
import type { Usage } from '../../decide/read-usage.js';

/** What becomes of a reservation. `usedTokens` `null`: not known, the estimate stays. */
export type Settlement =
  | { readonly kind: 'giveBack' }
  | { readonly kind: 'settle'; readonly usedTokens: number | null };

const GIVE_BACK: Settlement = { kind: 'giveBack' };

/** @param attempts how often an upstream was asked */
export function settleUse(outcome: RequestOutcome, attempts: number, usage: Usage | null): Settlement {
  switch (outcome) {
    case 'ok':
      return { kind: 'settle', usedTokens: totalOf(usage) };
    case 'refused':
    case 'failed':
    case 'check_refused':
      return GIVE_BACK;
    // An engine that refuses has computed nothing; but it was asked, and by the client's own fault.
    case 'client_error':
      return attempts === 0 ? GIVE_BACK : { kind: 'settle', usedTokens: 0 };
    case 'interrupted':
    case 'client_gone':
      return attempts === 0 ? GIVE_BACK : { kind: 'settle', usedTokens: totalOf(usage) };
  }
}

function totalOf(usage: Usage | null): number | null {
  if (usage === null || (usage.promptTokens === null && usage.completionTokens === null)) return null;
  return (usage.promptTokens ?? 0) + (usage.completionTokens ?? 0);
}
