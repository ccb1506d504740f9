import type { Socket } from 'node:net';
import { answerParent } from '../../machine/answer-parent.js';
import { type LoadTarget, openSocket, requestBytes } from './http-load.js';
import { isWholeAnswer } from './whole-answer.js';

/* Load of JSON requests for machines without wrk: each connection sends its next request when it has its answer. */

export interface JsonLoadQuestion {
  readonly target: LoadTarget;
  readonly connections: number;
  readonly durationMs: number;
}

export interface JsonLoadAnswer {
  readonly answers: number;
  /** Connections that broke, and answers that were not 200. */
  readonly failures: number;
  readonly durationMs: number;
}

async function run({ target, connections, durationMs }: JsonLoadQuestion): Promise<JsonLoadAnswer> {
  const request = requestBytes(target);
  const count = { answers: 0, failures: 0 };
  const startedAtMs = performance.now();
  const sockets = Array.from({ length: connections }, () => keepAsking(target.port, request, count));
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  const answer = { ...count, durationMs: performance.now() - startedAtMs };
  for (const socket of sockets)
    socket
      .removeAllListeners()
      .on('error', () => undefined)
      .destroy();
  return answer;
}

function keepAsking(port: number, request: Buffer, count: { answers: number; failures: number }): Socket {
  const socket = openSocket(port);
  let pending: Buffer = Buffer.alloc(0);
  socket.on('connect', () => socket.write(request));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    count.failures += 1;
  });
  socket.on('data', (data: Buffer) => {
    pending = pending.length === 0 ? data : Buffer.concat([pending, data]);
    if (!isWholeAnswer(pending)) return;
    if (pending.toString('latin1', 9, 12) === '200') count.answers += 1;
    else count.failures += 1;
    pending = Buffer.alloc(0);
    socket.write(request);
  });
  return socket;
}

answerParent<JsonLoadQuestion>(run);
