import { countOf } from '@ai-fabric/shared';
import type { AgentStatus } from '../../status/agent-status.js';

/** The agent's status for people. @param nowMs wall clock @param linkFix what mends the link, where this host can */
export function formatStatus(status: AgentStatus, nowMs: number, linkFix: string | null = null): string {
  const { link, cards, replicas, issues, waitingSamples, droppedSamples } = status;
  return [
    `${status.hostName}: the agent runs (process ${status.pid}, version ${status.version}, for ${age(nowMs - status.startedAtMs)})`,
    `link:     ${describeLink(status, nowMs)}`,
    ...(linkFix === null || link.state === 'linked' ? [] : [`          → ${linkFix}`]),
    `cards:    ${cards.length === 0 ? 'none' : cards.map(({ name }) => name).join(', ')}`,
    ...(status.owner === null ? [] : [describeCards(status)]),
    ...(status.upgrade === null ? [] : [`upgrade:  ${describeUpgrade(status.upgrade)}`]),
    ...section('replicas', replicas.map(describeReplica)),
    ...section('issues', issues.map(describeIssue)),
    ...(link.state !== 'linked' && waitingSamples > 0
      ? [`waiting:  ${countOf(waitingSamples, 'sample')} for the link`]
      : []),
    ...(droppedSamples > 0 ? [`dropped:  ${countOf(droppedSamples, 'sample')} since the agent started`] : []),
  ].join('\n');
}

/** Whose the cards are: "owner:    the cards are the fabric’s". */
export function describeCards({ owner }: AgentStatus): string {
  if (owner === null) return 'owner:    not known yet, the agent starts; ask again';
  const { state, detail, freedSeconds, stateSeconds } = owner;
  const why = detail === null ? '' : `\n          ${detail}`;
  const since = age(stateSeconds * 1_000);
  switch (state) {
    case 'serving':
      return `owner:    the cards are the fabric’s, for ${since}${why}`;
    case 'yielding':
      return `owner:    the cards are being freed, for ${since}${why}`;
    case 'yielded': {
      const took = freedSeconds === null ? '' : `, free ${freedSeconds} s after they were wanted`;
      return `owner:    the cards are the owner’s, for ${since}${took}${why}`;
    }
    default:
      return state satisfies never;
  }
}

/** "to 0.2.0, offered: Waits for the owner of the host". */
export function describeUpgrade({ phase, version, detail }: NonNullable<AgentStatus['upgrade']>): string {
  return `to ${version}, ${PHASES[phase]}${detail === null ? '' : `: ${detail}`}`;
}

const PHASES: Readonly<Record<NonNullable<AgentStatus['upgrade']>['phase'], string>> = {
  offered: 'offered',
  fetching: 'is being fetched',
  staged: 'fetched and proven',
  swapped: 'is put in place',
  proving: 'is being tried',
  done: 'done',
  rolled_back: 'rolled back',
  failed: 'failed',
};

function describeLink({ link, server }: AgentStatus, nowMs: number): string {
  if (link.state === 'linked' && link.linkedSinceMs !== null) {
    return `up for ${age(nowMs - link.linkedSinceMs)}, to ${server}`;
  }
  return `down, to ${server}${link.problem === null ? '' : `: ${link.problem}`}`;
}

type Replica = AgentStatus['replicas'][number];

function describeReplica(replica: Replica): string {
  const { deployment, phase, detail, container, port, drift, fit } = replica;
  const facts = [
    ...(container === null
      ? []
      : [
          `${container.adopted ? 'adopted ' : ''}container ${container.id.slice(0, 12)} of ${container.image}`,
        ]),
    ...(port === null ? [] : [`port ${port}`]),
    ...describeProgress(replica),
    ...(fit === null || fit.verdict === 'fits' ? [] : [`${fit.verdict.replaceAll('_', ' ')}: ${fit.detail}`]),
    ...drift.map((line) => `drift: ${line}`),
  ];
  return [`${deployment}: ${phase}${detail === null ? '' : ` (${detail})`}`, ...facts].join('\n    ');
}

/** "loading weights, usually 48 s, 31 s so far"; empty where it goes nowhere by itself. */
function describeProgress({ phase, progress, usualPhaseSeconds, phaseSeconds }: Replica): readonly string[] {
  const passes = ['pulling', 'starting', 'loading', 'warming'].includes(phase);
  if (progress === null && !passes) return [];
  const parts = [
    progress?.text ?? phase,
    ...(usualPhaseSeconds === null ? [] : [`usually ${Math.round(usualPhaseSeconds.p50)} s`]),
    ...(phaseSeconds === null ? [] : [`${Math.round(phaseSeconds)} s so far`]),
  ];
  return parts.length > 1 || progress !== null ? [parts.join(', ')] : [];
}

function describeIssue({ severity, code, subject, detail, fix }: AgentStatus['issues'][number]): string {
  const about = subject === 'host' ? '' : ` ${subject}`;
  return `${severity}: ${code}${about}: ${detail}${fix === null ? '' : ` Fix: ${fix}`}`;
}

function section(name: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [`${`${name}:`.padEnd(10)}none`];
  return [`${name}:`, ...lines.map((line) => `  ${line}`)];
}

/** In one unit: "4 s", "12 min", "3 h", "2 d". */
function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
