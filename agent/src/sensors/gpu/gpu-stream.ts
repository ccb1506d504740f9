import {
  type BackoffPolicy,
  type Clock,
  fullJitterDelayMs,
  type GpuReading,
  type Random,
  type Timer,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { type ClosableSensor, reading, type SensorResult, unavailable } from '../sensor.js';
import { advanceGpuStream, isAlive } from './decide/advance-gpu-stream.js';
import { classifyToolFailure, type ToolEnd, type ToolFailure } from './decide/classify-tool-failure.js';
import {
  type GpuStreamEffect,
  type GpuStreamEvent,
  type GpuStreamState,
  type GpuStreamTimes,
  initialGpuStream,
} from './decide/gpu-stream-state.js';
import { spellBusId } from './decide/normalise-bus-id.js';
import type { GpuRow } from './decide/parse-gpu-csv-line.js';
import type { QueryField } from './decide/plan-query-fields.js';
import {
  beginRun,
  type CardBook,
  emptyCardBook,
  freshReadings,
  healthyBusIds,
  lostCardIssues,
  onlyCard,
  recordLostCard,
  recordRow,
} from './decide/track-cards.js';
import type { NvidiaSmi, ToolSearch } from './find-nvidia-smi.js';
import type { StuckProcesses } from './stuck-processes.js';
import type { StartTool, ToolProcess } from './tool-process.js';
import { ToolRun } from './tool-run.js';

/** The moving values of the host's cards, by UUID. A card that is not listed has no fresh reading. */
export type GpuReadings = Readonly<Record<string, GpuReading>>;

export interface GpuStreamOptions {
  /** How often nvidia-smi prints, in milliseconds. */
  readonly periodMs: number;
  readonly findTool: () => Promise<ToolSearch>;
  readonly startTool: StartTool;
  /** PCI addresses of all cards, for when a lost one is known by its own alone; empty where nobody can say. */
  readonly listBusIds: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly stuck: StuckProcesses;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly times?: Partial<GpuStreamTimes>;
}

const BACKOFF: BackoffPolicy = { baseMs: 1_000, capMs: 60_000 };
/** Full jitter may draw nothing at all: a tool that ends at once must not spin. */
const LEAST_BACKOFF_MS = 250;
/** A timer that comes this much late means that the whole machine slept, not that the tool is silent. */
const SLEPT_MS = 5_000;
/** How long `close` waits for the child's end. */
const CLOSE_WAIT_MS = 2_000;

/**
 * Keeps one nvidia-smi running and holds what it said last: `read` costs nothing. A card's reading is fresh for three
 * periods. Starts at once; `close` ends the child.
 */
export function openGpuStream(options: GpuStreamOptions): ClosableSensor<GpuReadings> {
  const stream = new GpuStream(options);
  stream.open();
  return stream;
}

class GpuStream implements ClosableSensor<GpuReadings> {
  readonly #options: GpuStreamOptions;
  readonly #times: GpuStreamTimes;
  #state: GpuStreamState = initialGpuStream;
  #book: CardBook = emptyCardBook;
  #tool: NvidiaSmi | null = null;
  #process: ToolProcess | null = null;
  #timer: Timer | null = null;
  #ended: () => void = () => undefined;
  readonly #closing = new AbortController();
  #loggedCode: string | null = null;
  lastRowAtMs: number | null = null;

  constructor(options: GpuStreamOptions) {
    this.#options = options;
    this.#times = {
      firstRowMs: 60_000,
      rowMs: Math.max(15_000, 5 * options.periodMs),
      killMs: 5_000,
      absentMs: 600_000,
      reprobeMs: 300_000,
      healthyMs: 60_000,
      ...options.times,
    };
  }

  open(): void {
    this.#dispatch({ type: 'opened' });
  }

  read(): Promise<SensorResult<GpuReadings>> {
    if (this.#state.issue !== null) return Promise.resolve(unavailable(this.#state.issue));
    const nowMs = this.#options.clock.monotonicMs();
    const readings = freshReadings(this.#book, nowMs, Math.max(3 * this.#options.periodMs, 3_000));
    return Promise.resolve(reading(readings, lostCardIssues(this.#book)));
  }

  async close(): Promise<void> {
    const awaitsEnd = isAlive(this.#state);
    const { clock } = this.#options;
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
      if (awaitsEnd) clock.after(CLOSE_WAIT_MS, resolve);
      else resolve();
    });
    this.#timer?.cancel();
    this.#closing.abort();
    if (this.#state.phase !== 'closed') this.#dispatch({ type: 'close' });
    await ended;
    this.#process?.abandon();
  }

  #dispatch(event: GpuStreamEvent): void {
    const { clock, logger } = this.#options;
    const before = this.#state;
    const step = advanceGpuStream(before, event, clock.monotonicMs(), this.#times);
    this.#state = step.state;
    if (step.refused !== undefined) logger.debug({ refused: step.refused }, 'gpu stream: event out of turn');
    this.#logIssue();
    for (const effect of step.effects) this.#perform(effect);
  }

  /** Once per change of what is wrong: a host without a card says so in one line. */
  #logIssue(): void {
    const { issue } = this.#state;
    const code = issue?.code ?? null;
    if (code === this.#loggedCode || (issue === null && this.#state.phase !== 'running')) return;
    this.#loggedCode = code;
    const { logger } = this.#options;
    if (issue === null) logger.info('gpu: readings are back');
    else if (issue.severity === 'info') logger.info({ code }, `gpu: ${issue.detail}`);
    else logger.warn({ code, fix: issue.fix }, `gpu: ${issue.detail}`);
  }

  #perform(effect: GpuStreamEffect): void {
    switch (effect.type) {
      case 'find_tool':
        this.#findTool();
        return;
      case 'start':
        this.#start(effect.fields, effect.only);
        return;
      case 'kill':
        this.#process?.kill();
        return;
      case 'abandon':
        this.#abandon();
        return;
      case 'timer':
        this.#setTimer(effect.afterMs);
        return;
      case 'backoff':
        this.#setTimer(
          Math.max(LEAST_BACKOFF_MS, fullJitterDelayMs(effect.attempt, BACKOFF, this.#options.random)),
        );
        return;
      default:
        effect satisfies never;
    }
  }

  #setTimer(afterMs: number): void {
    const { clock, stuck } = this.#options;
    this.#timer?.cancel();
    const setAtMs = clock.monotonicMs();
    this.#timer = clock.after(afterMs, () => {
      const lateMs = clock.monotonicMs() - setAtMs - afterMs;
      if (lateMs > SLEPT_MS && isAlive(this.#state)) this.#setTimer(afterMs);
      else this.#dispatch({ type: 'timer', blocked: stuck.any() });
    });
  }

  #findTool(): void {
    this.#options.findTool().then(
      (search) => {
        if (search.found) this.#tool = search.tool;
        const blocked = this.#options.stuck.any();
        this.#dispatch(
          search.found ? { type: 'tool_found', blocked } : { type: 'tool_missing', issue: search.issue },
        );
      },
      (error: unknown) => {
        const failure = classifyToolFailure({
          exitCode: null,
          signal: null,
          output: '',
          startError: String(error),
        });
        if (failure.kind === 'problem') this.#dispatch({ type: 'tool_missing', issue: failure.issue });
      },
    );
  }

  #start(fields: readonly QueryField[], only: readonly string[]): void {
    const { startTool, periodMs } = this.#options;
    if (this.#tool === null) return;
    this.#book = beginRun(this.#book);
    const run = new ToolRun(fields, {
      onRow: (row) => this.#onRow(row),
      onBadLine: (text) => this.#dispatch({ type: 'bad_line', text }),
    });
    this.#process = startTool(this.#tool, toolArgs(fields, only, periodMs), {
      onText: (text) => {
        // What a killed child still had to say is of no interest, and may be a flood.
        if (this.#listens()) run.take(text);
      },
      onEnd: (end) => void this.#onEnd(run.endWith(end)),
    });
  }

  #onRow(row: GpuRow): void {
    this.lastRowAtMs = this.#options.clock.monotonicMs();
    this.#book = recordRow(this.#book, row, this.lastRowAtMs);
    this.#dispatch({ type: 'row' });
  }

  #listens(): boolean {
    return this.#state.phase === 'starting' || this.#state.phase === 'running';
  }

  async #onEnd(end: ToolEnd): Promise<void> {
    this.#process = null;
    this.#ended();
    const failure = this.#nameCard(classifyToolFailure(end));
    const others = failure.kind === 'card_lost' ? await this.#otherCards() : [];
    if (this.#state.phase !== 'closed') this.#dispatch({ type: 'exited', failure, others });
  }

  async #otherCards(): Promise<readonly string[]> {
    const known = healthyBusIds(this.#book);
    return known.length > 0 ? known : this.#options.listBusIds(this.#closing.signal).catch(() => []);
  }

  /** Books the lost card, and finds out which it is where there is only one. */
  #nameCard(failure: ToolFailure): ToolFailure {
    if (failure.kind !== 'card_lost') return failure;
    const busId = failure.busId ?? onlyCard(this.#book);
    if (busId !== null) this.#book = recordLostCard(this.#book, busId);
    return { kind: 'card_lost', busId };
  }

  #abandon(): void {
    const { stuck, logger } = this.#options;
    const abandoned = this.#process;
    abandoned?.abandon();
    logger.error('gpu: nvidia-smi cannot be killed and is left alone');
    stuck.add(() => this.#process !== abandoned);
  }
}

function toolArgs(fields: readonly QueryField[], only: readonly string[], periodMs: number): string[] {
  const args = [`--query-gpu=${fields.map(({ name }) => name).join(',')}`, '--format=csv,noheader,nounits'];
  if (only.length > 0) args.push('-i', only.map(spellBusId).join(','));
  // Whole seconds by the flag that every driver knows.
  return periodMs % 1000 === 0
    ? [...args, '-l', String(periodMs / 1000)]
    : [...args, '-lms', String(periodMs)];
}
