import type { Socket } from 'node:net';
import { type LoadTarget, openSocket, requestBytes } from '../gateway/load/http-load.js';
import { answerParent } from '../machine/answer-parent.js';

/* Paced requests, and streams whose gaps are timed. */

export type TunnelLoadQuestion =
  /** One request after the other at a steady pace, by turns to each target. */
  | {
      readonly type: 'paced';
      readonly targets: readonly LoadTarget[];
      readonly perSecond: number;
      readonly durationMs: number;
    }
  | { readonly type: 'open'; readonly target: LoadTarget; readonly streams: number }
  /** Forgets the gaps so far. */
  | { readonly type: 'begin' }
  | { readonly type: 'close' };

export interface PacedAnswer {
  /** Milliseconds from the request to the end of its answer, by target. */
  readonly latenciesMs: readonly (readonly number[])[];
  readonly failures: number;
}

export interface GapsAnswer {
  readonly flowing: number;
  readonly chunks: number;
  /** Milliseconds between two chunks of one stream. */
  readonly gapsMs: readonly number[];
}

const STAGGER_MS = 3;
const OPEN_DEADLINE_MS = 15_000;
const EVENT_START = Buffer.from('data: ');
const END = Buffer.from('}');

async function paced(question: Extract<TunnelLoadQuestion, { type: 'paced' }>): Promise<PacedAnswer> {
  const { targets, perSecond, durationMs } = question;
  const latenciesMs: number[][] = targets.map(() => []);
  const lines = targets.map((target) => new Line(target));
  let failures = 0;
  const startMs = performance.now();
  const asked: Promise<void>[] = [];
  for (let count = 0; count * (1_000 / perSecond) < durationMs; count += 1) {
    const atMs = startMs + count * (1_000 / perSecond);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - performance.now())));
    const turn = count % targets.length;
    asked.push(
      (lines[turn] as Line).ask().then(
        (ms) => void latenciesMs[turn]?.push(ms),
        () => {
          failures += 1;
        },
      ),
    );
  }
  await Promise.all(asked);
  for (const line of lines) line.close();
  return { latenciesMs, failures };
}

/** Kept connections to one target; each takes one request at a time. */
class Line {
  readonly #port: number;
  readonly #request: Buffer;
  readonly #idle: Socket[] = [];

  constructor(target: LoadTarget) {
    this.#port = target.port;
    this.#request = requestBytes(target);
  }

  ask(): Promise<number> {
    const socket = this.#idle.pop() ?? openSocket(this.#port);
    return new Promise((resolve, reject) => {
      const startMs = performance.now();
      socket.removeAllListeners('data').removeAllListeners('error').removeAllListeners('close');
      socket.on('error', reject).on('close', () => reject(new Error('closed')));
      socket.on('data', (data: Buffer) => {
        if (data.toString('latin1', 9, 12) !== '200' && data.indexOf('HTTP/1.1') === 0) {
          reject(new Error(data.toString('latin1', 0, 200)));
        } else if (data.subarray(-1).equals(END)) {
          resolve(performance.now() - startMs);
          this.#idle.push(socket);
        }
      });
      socket.write(this.#request);
    });
  }

  close(): void {
    for (const socket of this.#idle)
      socket
        .removeAllListeners()
        .on('error', () => undefined)
        .destroy();
  }
}

let sockets: Socket[] = [];
let flowing = 0;
let chunks = 0;
let gapsMs: number[] = [];

async function openStreams(target: LoadTarget, streams: number): Promise<void> {
  const request = requestBytes(target);
  [sockets, flowing, chunks, gapsMs] = [[], 0, 0, []];
  for (let index = 0; index < streams; index += 1) {
    sockets.push(openStream(target.port, request));
    await new Promise((resolve) => setTimeout(resolve, STAGGER_MS));
  }
  const endMs = performance.now() + OPEN_DEADLINE_MS;
  while (flowing < streams && performance.now() < endMs)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

function openStream(port: number, request: Buffer): Socket {
  const socket = openSocket(port);
  let lastMs: number | null = null;
  socket.on('error', () => undefined);
  socket.on('data', (data: Buffer) => {
    const nowMs = performance.now();
    if (lastMs === null) {
      if (data.toString('latin1', 9, 12) === '200') flowing += 1;
    } else gapsMs.push(nowMs - lastMs);
    lastMs = nowMs;
    for (let at = data.indexOf(EVENT_START); at !== -1; at = data.indexOf(EVENT_START, at + 6)) chunks += 1;
  });
  socket.write(request);
  return socket;
}

answerParent<TunnelLoadQuestion>(async (question) => {
  if (question.type === 'paced') return paced(question);
  if (question.type === 'open') await openStreams(question.target, question.streams);
  if (question.type === 'begin') [chunks, gapsMs] = [0, []];
  const answer: GapsAnswer = { flowing, chunks, gapsMs };
  if (question.type === 'close') {
    for (const socket of sockets)
      socket
        .removeAllListeners()
        .on('error', () => undefined)
        .destroy();
  }
  return answer;
});
