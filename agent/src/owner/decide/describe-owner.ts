import { gibText, type OwnerReport, type YieldSettings } from '@ai-fabric/shared';
import { ownProgram } from '../../own-command.js';
import type { SessionFacts } from '../../sensors/session/decide/session-facts.js';
import { causeOf, type OwnerState } from './step-owner.js';

/** What is told of the owner and their claim. */
export function describeOwner(
  state: OwnerState,
  settings: YieldSettings,
  seen: SessionFacts & { readonly processes: readonly string[] },
  nowMs: number,
  platform: NodeJS.Platform,
): OwnerReport {
  const { phase, sinceMs, freedSeconds, watch } = state;
  return {
    state: phase,
    cause: causeOf(state.claims),
    detail: detailOf(state, settings, seen.processes, platform),
    stateSeconds: Math.round(Math.max(0, nowMs - sinceMs) / 100) / 10,
    freedSeconds: phase === 'yielding' ? null : freedSeconds,
    foreignVramBytes: watch.use.vramBytes === null ? null : Math.round(watch.use.vramBytes),
    foreignUtilisationRatio: rounded(watch.use.utilisationRatio),
    present: seen.present,
    remoteSession: seen.remoteSession,
    processes: [...seen.processes],
  };
}

function detailOf(
  { phase, claims, watch }: OwnerState,
  settings: YieldSettings,
  processes: readonly string[],
  platform: NodeJS.Platform,
): string | null {
  switch (causeOf(claims)) {
    case 'owner':
      return `The owner took the cards at the host; this gives them back there: ${ownProgram(platform)} unyield`;
    case 'operator':
      return 'An operator gave the cards to the owner; "ai-fabric hosts unyield" takes that back.';
    case 'foreign_use':
      return foreignDetail(watch.patience, settings, processes);
    case null:
      return phase === 'serving' && watch.dismissed
        ? 'Others use a card, and it was said that this does not matter.'
        : null;
  }
}

/** Its numbers are settings: what is measured is told beside it, and a detail is told anew whenever it changes. */
function foreignDetail(patience: number, settings: YieldSettings, processes: readonly string[]): string {
  const who = processes.length === 0 ? 'Others use a card' : `${processes.slice(0, 3).join(', ')} use a card`;
  const limits = `more than ${gibText(settings.vramBytes)} or ${Math.round(settings.utilisationRatio * 100)} % beyond the desktop`;
  const minutes = Math.round((settings.quietSeconds * patience) / 6) / 10;
  return `${who}: ${limits}. The fabric is back after ${minutes} min of quiet.`;
}

function rounded(ratio: number | null): number | null {
  return ratio === null ? null : Math.round(ratio * 1_000) / 1_000;
}
