import { countOf, type ReplicaContainer, type ReplicaGrowth } from '@ai-fabric/shared';
import type { z } from 'zod';
import type { deploymentSchema } from '../../api/deployment-schemas.js';
import { describeProgress } from '../decide/describe-progress.js';
import { age, gib, percent, printTable } from '../output.js';

export type Deployment = z.infer<typeof deploymentSchema>;

export function printDeployments(items: readonly Deployment[]): void {
  const nowMs = Date.now();
  printTable(
    ['DEPLOYMENT', 'HOST', 'TASK', 'MODEL', 'PHASE', 'RUNNING', 'WAITING', 'KV', 'ISSUES'],
    items.map((item) => {
      const reading = isHere(item) ? item.observed?.reading : null;
      return [
        item.name,
        item.host,
        item.task,
        item.servedModel,
        phaseText(item, nowMs),
        String(reading?.running ?? '-'),
        String(reading?.waiting ?? '-'),
        percent(reading?.kvUsageRatio),
        item.issues.map(({ code }) => code).join(', ') || '-',
      ];
    }),
  );
}

/** What an agent said before its host went away is no present value. */
function isHere({ hostPresence }: Deployment): boolean {
  return hostPresence === 'online' || hostPresence === 'late';
}

function phaseText(item: Deployment, nowMs: number): string {
  const { observed, hostPresence } = item;
  if (observed === null) return 'not seen';
  if (!isHere(item)) return `last ${observed.status.phase} (host ${hostPresence})`;
  const { status } = observed;
  return status.progress || status.usualPhaseSeconds ? describeProgress(observed, nowMs) : status.phase;
}

export function printDeployment(item: Deployment): void {
  const nowMs = Date.now();
  const { observed } = item;
  const status = observed?.status;
  console.log(`${item.name}: ${observed ? describeProgress(observed, nowMs) : 'not seen yet'}`);
  if (observed) line('in phase', `for ${age(observed.phaseSinceMs, nowMs)}${usualText(observed)}`);
  if (status?.detail) line('because', `${status.code === null ? '' : `${status.code}: `}${status.detail}`);
  line('host', item.hostPresence === 'online' ? item.host : `${item.host} (${item.hostPresence})`);
  line('for', item.roles.join(', ') || 'no role');
  printDeclared(item);
  line('takes', `${countOf(item.maxConcurrent, 'request')} at once`);
  line('context', contextText(item.contextTokens ?? status?.maxModelLen ?? null));
  if (status?.container) {
    line('container', containerText(status.container, nowMs));
  }
  if (status?.fit) printFit(status.fit);
  if (status?.growth) line('disk', describeGrowth(status.growth));
  if (item.learned) line('answers', learnedText(item.learned));
  for (const each of status?.drift ?? []) line('drift', each);
  for (const { severity, code, detail, fix, sinceMs } of item.issues) {
    line(severity, `${code} for ${age(sinceMs, nowMs)}: ${detail}`);
    if (fix) console.log(`                → ${fix}`);
  }
}

/** What the router reckons with: `17.2 ms an iteration, 0.60 ms an answer, 0.42 ms a prompt token (from 240 answers)`. */
export function learnedText(learned: NonNullable<Deployment['learned']>): string {
  const { iterationSeconds, perDecodingSeconds, perPromptTokenSeconds } = learned;
  const { observations, bytesPerToken, gaugeLagSeconds, drift } = learned;
  const rates = [
    `${ms(iterationSeconds)} an iteration`,
    `${ms(perDecodingSeconds)} more with each answer`,
    `${ms(perPromptTokenSeconds)} a prompt token`,
  ];
  if (observations === 0) return `${rates.join(', ')} (a guess: it has answered nothing yet)`;
  const from = `from ${countOf(observations, 'observation')}, ${bytesPerToken.toFixed(1)} bytes a token`;
  const lag = gaugeLagSeconds === null ? '' : `, gauges ${gaugeLagSeconds} s late`;
  const slow = drift > 1.05 ? `, of late ${drift.toFixed(1)} times as slow` : '';
  const fast = drift < 0.95 ? `, of late faster by ${percent(1 - drift)}` : '';
  return `${rates.join(', ')} (${from}${lag}${slow}${fast})`;
}

function ms(seconds: number): string {
  return `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 1)} ms`;
}

export function contextText(tokens: number | null): string {
  return tokens === null ? 'known when its engine has told it' : `${tokens} tokens`;
}

export function containerText({ id, image, adopted, startedAtMs }: ReplicaContainer, nowMs: number): string {
  const since = startedAtMs === null ? 'not running' : `started ${age(startedAtMs, nowMs)} ago`;
  return `${id.slice(0, 12)} of ${image}, ${since}${adopted ? ', adopted' : ''}`;
}

function printDeclared(item: Deployment): void {
  if (item.engine === 'external') {
    line('model', `${item.servedModel} (${item.task})`);
    line('engine', `external at ${item.url}`);
    return;
  }
  line('model', `${item.model}${item.revision === null ? '' : ` at ${item.revision}`} (${item.task})`);
  line('engine', `vllm, ${item.image}`);
  line('wished', item.wish);
  const up = item.tunnelUp === null ? '' : item.tunnelUp ? ', its tunnel is up' : ', its tunnel is down';
  const port = item.observed?.status.port ?? item.port;
  const where = item.address === null ? 'on the host' : `at ${item.address}`;
  line('reached', `by ${item.reach}${up}${port === null ? '' : `, port ${port} ${where}`}`);
  if (item.adopt !== null) line('adopts', `the container ${item.adopt}`);
}

function printFit({ verdict, neededBytes, freeBytes, detail }: NonNullable<StatusFit>): void {
  const numbers = neededBytes === null ? '' : ` (needs ${gib(neededBytes)}, ${gib(freeBytes)} free)`;
  line('card', `${verdict.replaceAll('_', ' ')}${numbers}${detail === '' ? '' : `: ${detail}`}`);
}

/** What fetching it takes of the host's disk: "grows by 26.1 GiB (…), 84.8 GiB free: …". */
export function describeGrowth(growth: ReplicaGrowth): string {
  const { imageBytes, weightsBytes, freeBytes, detail } = growth;
  const known = [imageBytes, weightsBytes].filter((bytes) => bytes !== null);
  const total = known.reduce((sum, bytes) => sum + bytes, 0);
  const grows = known.length === 0 ? 'grows by what is not known' : `grows by some ${gib(total)}`;
  return `${grows}, ${freeBytes === null ? 'what is free is not known' : `${gib(freeBytes)} free`}: ${detail}`;
}

type StatusFit = NonNullable<Deployment['observed']>['status']['fit'];

function usualText({ status: { usualPhaseSeconds } }: NonNullable<Deployment['observed']>): string {
  if (usualPhaseSeconds === null) return '';
  const { p50, p95 } = usualPhaseSeconds;
  return `, usually ${Math.round(p50)} s, of twenty times one above ${Math.round(p95)} s`;
}

function line(label: string, text: string): void {
  console.log(`  ${label.padEnd(13)} ${text}`);
}
