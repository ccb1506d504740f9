import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { endStream, refuseStream } from './refuse-stream.js';

/** A request to the agent itself. */
export interface AgentQuestion {
  readonly method: string;
  /** Of the path behind the endpoint's own, decoded; none of them is empty or a dot. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Answers on the stream. `signal` is aborted when the stream is gone. A rejection becomes a 500. */
export type AgentEndpoint = (
  stream: ServerHttp2Stream,
  question: AgentQuestion,
  signal: AbortSignal,
) => Promise<void>;

/** By the first segment behind `/agent/v1/`, such as `logs`. */
export type AgentEndpoints = ReadonlyMap<string, AgentEndpoint>;

export interface LogQuestion {
  readonly follow: boolean;
  readonly sinceMs?: number;
  readonly tailLines?: number;
}

/** The lines of a deployment's container, each a value that JSON can say; `null`: no such deployment here. */
export type LogSource = (
  deployment: string,
  question: LogQuestion,
  signal: AbortSignal,
) => AsyncIterable<unknown> | null;

/** `GET /agent/v1/logs/DEPLOYMENT?follow=0|1&sinceMs=&tailLines=`: one JSON value a line. */
export function logsEndpoint(source: LogSource): AgentEndpoint {
  return async (stream, { method, segments, query }, signal) => {
    const [deployment, ...more] = segments;
    if (deployment === undefined || more.length > 0) {
      return refuseStream(stream, 'path_not_allowed', 'a path such as /agent/v1/logs/DEPLOYMENT');
    }
    if (method !== 'GET') return refuseStream(stream, 'method_not_allowed', 'logs are read with GET');
    const question = {
      follow: query.get('follow') === '1',
      ...numberOf(query, 'sinceMs'),
      ...numberOf(query, 'tailLines'),
    };
    const lines = source(deployment, question, signal);
    if (lines === null) {
      return refuseStream(stream, 'no_engine', `this agent keeps no deployment "${deployment}"`);
    }
    await answerLines(stream, lines, signal);
  };
}

/** One line for each value, no faster than they are taken. Ends with the values, or with the stream. */
async function answerLines(
  stream: ServerHttp2Stream,
  values: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' });
  try {
    for await (const value of values) {
      if (!stream.write(`${JSON.stringify(value)}\n`)) await once(stream, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (!signal.aborted) endStream(stream);
}

/** @returns nothing where it is not there, or no whole number */
function numberOf<Name extends string>(
  query: URLSearchParams,
  name: Name,
): { readonly [key in Name]?: number } {
  const text = query.get(name);
  if (text === null || !/^\d{1,16}$/.test(text)) return {};
  return { [name]: Number(text) } as { readonly [key in Name]: number };
}
