import { HistoryStage } from '@ai-fabric/control-plane/testing';
import { diffTelemetry, encodeFrame, type TelemetrySample } from '@ai-fabric/shared';
import { answerParent } from '../machine/answer-parent.js';
import { BusyHost, ONLY_HOST } from './busy-host.js';

/* What is measured of the history: the rooms behind the link, in a process of their own. */

export type HistoryQuestion =
  /** Links the hosts and makes their reports, before anything is measured. */
  | { readonly type: 'prepare'; readonly directory: string; readonly hosts: number; readonly seconds: number }
  /** From now on every host reports once a second, as often as was prepared. */
  | { readonly type: 'feed' }
  | { readonly type: 'fed' }
  | { readonly type: 'open'; readonly directory: string; readonly deployments: readonly string[] }
  | { readonly type: 'chart'; readonly rangeMs: number; readonly fields: string };

export interface FedAnswer {
  readonly reports: number;
  readonly dropped: number;
  readonly queued: number;
}

export interface ChartAnswer {
  /** From the question until its answer is JSON. */
  readonly ms: number;
  readonly points: number;
  readonly lengthBytes: number;
  readonly resolution: string;
}

const TICK_MS = 10;

let stage: HistoryStage | null = null;
/** By second, then by host. */
const frames: string[][] = [];
let reports = 0;

function opened(): HistoryStage {
  if (!stage) throw new Error('nothing was opened');
  return stage;
}

function nameOf(index: number): string {
  return `bench-${String(index).padStart(4, '0')}`;
}

function prepare(directory: string, hosts: number, seconds: number): void {
  stage = new HistoryStage(directory, {});
  const before: (TelemetrySample | null)[] = new Array<null>(hosts).fill(null);
  const busy = Array.from({ length: hosts }, (_, index) => new BusyHost(index, [], Math.random));
  for (let index = 0; index < hosts; index += 1) stage.link(nameOf(index));
  for (let second = 0; second < seconds; second += 1) {
    frames.push(
      busy.map((host, index) => {
        // The agent's clock: only distances on it count.
        const sentAtMs = second * 1_000;
        const sample = host.sample(sentAtMs);
        const telemetry = [diffTelemetry(before[index] ?? null, sample)];
        before[index] = sample;
        const id = `${index}-${second}`;
        return encodeFrame({ id, type: 'report', sentAtMs, body: { seq: second + 1, telemetry } });
      }),
    );
  }
}

/** Spread over each second, as hosts are that know nothing of each other. */
function feed(): void {
  const hosts = frames[0]?.length ?? 0;
  const startedAtMs = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAtMs) / 1_000) * hosts);
    for (; reports < due; reports += 1) {
      const text = frames[Math.floor(reports / hosts)]?.[reports % hosts];
      if (text === undefined) {
        clearInterval(timer);
        return;
      }
      opened().takeFrame(nameOf(reports % hosts), text);
    }
  }, TICK_MS);
}

async function chart(rangeMs: number, fields: string): Promise<ChartAnswer> {
  const startedAtMs = performance.now();
  const answer = await opened().chart(ONLY_HOST, rangeMs, fields);
  return { ms: performance.now() - startedAtMs, ...answer };
}

answerParent<HistoryQuestion>((question): object | Promise<object> => {
  switch (question.type) {
    case 'prepare':
      prepare(question.directory, question.hosts, question.seconds);
      return {};
    case 'feed':
      feed();
      return {};
    case 'fed':
      return { reports, dropped: opened().droppedCount, queued: opened().queuedCount };
    case 'open':
      stage = new HistoryStage(question.directory, { [ONLY_HOST]: question.deployments });
      return {};
    case 'chart':
      return chart(question.rangeMs, question.fields);
    default:
      return question satisfies never;
  }
});
