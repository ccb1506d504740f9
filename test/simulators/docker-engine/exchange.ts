import type { IncomingMessage, ServerResponse } from 'node:http';
import { EngineRefusal } from './options.js';
import type { SimulatedEngine } from './simulated-engine.js';

/** One request of the engine's API, and all that answers it. */
export interface EngineExchange {
  readonly engine: SimulatedEngine;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What the path's pattern caught, decoded. */
  readonly caught: readonly string[];
  readonly body: string;
}

/** @throws EngineRefusal 400 */
export function readJson(exchange: EngineExchange): unknown {
  try {
    return JSON.parse(exchange.body || '{}');
  } catch {
    throw new EngineRefusal(400, 'invalid character in the body');
  }
}

export function sendJson({ response }: EngineExchange, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

export function sendNothing({ response }: EngineExchange, status: number): void {
  response.writeHead(status).end();
}

export function isTrue(query: URLSearchParams, name: string): boolean {
  return ['1', 'true', 'True'].includes(query.get(name) ?? '');
}
