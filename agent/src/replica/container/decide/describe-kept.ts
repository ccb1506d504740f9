import {
  describeReplica,
  type Issue,
  type ReplicaFit,
  type ReplicaGrowth,
  type ReplicaProgress,
  type ReplicaStatus,
  type VllmReplica,
} from '@ai-fabric/shared';
import { clipText, describeIssue } from '../../../sensors/decide/describe-issue.js';
import type { KeptState } from './container-state.js';
import { type Trouble, trouble } from './container-trouble.js';
import type { UsualTimes } from './phase-times.js';
import { LOOP_FAILURES } from './plan-restart-delay.js';

/** What is told of a replica beside its state. */
export interface KeptFacts {
  readonly desired: VllmReplica;
  readonly refusal: { readonly rule: string; readonly detail: string } | null;
  readonly pull: ReplicaProgress | null;
  readonly fit: ReplicaFit | null;
  readonly growth: ReplicaGrowth | null;
  readonly usual: UsualTimes | null;
  readonly directKey: string | null;
  /** monotonic */
  readonly nowMs: number;
}

const MAX_LAST_LINES = 3;

export function describeKept(state: KeptState, facts: KeptFacts): ReplicaStatus {
  const { desired, fit, growth, usual, directKey, nowMs } = facts;
  const { seen, phase, detail } = state;
  const kept = seen.kind === 'kept' ? seen : null;
  const bad = phase === 'failed' || phase === 'crash_looping';
  return describeReplica({
    deployment: desired.deployment,
    phase,
    detail: detail === null ? null : clipText(detail, 500),
    code: bad ? ((state.engineTrouble ?? state.trouble)?.code ?? phase) : null,
    engineVersion: state.engineVersion,
    maxModelLen: state.maxModelLen,
    progress: progressOf(state, facts),
    phaseSeconds: Math.round(Math.max(0, nowMs - state.sinceMs) / 100) / 10,
    usualPhaseSeconds: usual,
    container:
      kept === null
        ? null
        : {
            id: kept.id,
            image: clipText(kept.image, 300),
            // Its engine tells of the last run too.
            startedAtMs: kept.run === 'running' || kept.run === 'paused' ? kept.startedAtMs : null,
            adopted: kept.adopted,
          },
    drift: [
      ...(kept?.drift ?? []),
      ...(facts.refusal === null || kept === null ? [] : [refusedDrift(facts.refusal)]),
    ],
    fit,
    growth: phase === 'ready' ? null : growth,
    port: kept?.address?.port ?? null,
    directKey: desired.reach === 'direct' ? directKey : null,
  });
}

function refusedDrift({ rule }: { readonly rule: string }): string {
  return clipText(`The host's policy refuses what is declared (${rule}); what runs is from before.`, 200);
}

/** Bytes of a pull, or what the engine's log tells: "loading weights, 2 of 4 files". Times have fields of their own. */
function progressOf({ phase, progress }: KeptState, { pull }: KeptFacts): ReplicaProgress | null {
  if (pull !== null) return pull;
  const isTold = phase === 'starting' || phase === 'loading' || phase === 'warming';
  if (progress === null || !isTold) return null;
  return { doneBytes: null, totalBytes: null, text: clipText(progress.text, 200) };
}

/** The issues of a replica. Each clears with the step that failed holding, or with a token. */
export function keptIssues(state: KeptState, facts: KeptFacts): readonly Issue[] {
  const { desired, refusal } = facts;
  const { deployment } = desired;
  const issues: Issue[] = [];
  const tell = (told: Trouble, severity: Issue['severity']): void => {
    if (issues.some(({ code }) => code === told.code)) return;
    issues.push(describeIssue(told.code, severity, deployment, withLastLines(told), told.fix));
  };
  if (state.engineTrouble !== null) {
    tell(state.engineTrouble, state.engineTrouble.code === 'sign_in_needed' ? 'warning' : 'error');
  }
  if (state.trouble !== null) tell(state.trouble, 'error');
  if (state.seen.kind === 'kept' && state.seen.standsIn !== null) tell(state.seen.standsIn, 'error');
  if (refusal !== null && desired.wish !== 'stopped') {
    tell(
      trouble('policy_refused', `The host's policy refuses it (${refusal.rule}): ${refusal.detail}`),
      'error',
    );
  }
  if (state.failures >= LOOP_FAILURES && state.trouble !== null && state.troubleStep === null) {
    tell(
      trouble('crash_looping', `${state.failures} failures in a row; the last: ${state.trouble.detail}`, {
        lastLines: state.trouble.lastLines,
      }),
      'error',
    );
  }
  return issues;
}

function withLastLines({ detail, lastLines }: Trouble): string {
  const last = lastLines.slice(-MAX_LAST_LINES).map((line) => clipText(line, 100));
  const lines = last.filter((line) => line !== '' && !detail.includes(line));
  return lines.length === 0 ? detail : `${clipText(detail, 300)} Last lines: ${lines.join(' | ')}`;
}
