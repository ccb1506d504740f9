import { z } from 'zod';
import type { WireFaults } from '../common/reply-writer.js';

/** The requests that cost tokens: what faults hit unless they name other paths. */
export const INFERENCE_PATHS: readonly string[] = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/messages',
  '/v1/messages/count_tokens',
  '/v1/audio/transcriptions',
  '/v1/audio/translations',
  '/v1/rerank',
  '/v1/score',
];

const scope = {
  /** How many requests it hits before it is over; without it, all until it is cleared. */
  times: z.int().positive().optional(),
  /** Which paths it hits; all inference paths without it. */
  paths: z.array(z.string()).optional(),
};

const requestFaultSchema = z.discriminatedUnion('kind', [
  /** 200 with a web page. */
  z.strictObject({ kind: z.literal('html'), ...scope }),
  /** 502 with a proxy's web page. */
  z.strictObject({ kind: z.literal('badGateway'), ...scope }),
  /** Takes the request and never answers. */
  z.strictObject({ kind: z.literal('never'), ...scope }),
  z.strictObject({ kind: z.literal('status503'), ...scope }),
  /** The engine process died while the server lives: 500 here, `/health` stays as it is. */
  z.strictObject({ kind: z.literal('status500'), ...scope }),
  z.strictObject({ kind: z.literal('redirect'), location: z.string(), ...scope }),
  /** Cuts the connection after so many events, or amid a body that is not streamed. */
  z.strictObject({ kind: z.literal('stopMidStream'), afterChunks: z.int().min(0), ...scope }),
  /** An error event inside a stream that began with 200. */
  z.strictObject({ kind: z.literal('errorInStream'), afterChunks: z.int().min(0), ...scope }),
  /** Cuts the connection inside an event or body; a body promises more bytes than it sends. */
  z.strictObject({ kind: z.literal('truncateJson'), ...scope }),
  /** Puts multi-byte characters into the reply and each of them over two TCP segments. */
  z.strictObject({ kind: z.literal('splitUtf8'), ...scope }),
  /** Adds a pause before each token. */
  z.strictObject({ kind: z.literal('slow'), tokenDelayMs: z.number().min(0), ...scope }),
]);
export type RequestFault = z.infer<typeof requestFaultSchema>;

const stateFaultSchema = z.discriminatedUnion('kind', [
  /** The whole process is killed: sockets cut, connections refused, until `restart()`. */
  z.strictObject({ kind: z.literal('crash') }),
  /** Only the engine process dies: `/health` 503, requests 500. */
  z.strictObject({ kind: z.literal('engineDead') }),
  /** What others send to this engine: shown in the gauges and felt in the timings; it takes no slot. */
  z.strictObject({
    kind: z.literal('externalLoad'),
    running: z.number().min(0).default(0),
    waiting: z.number().min(0).default(0),
    kvUsage: z.number().min(0).max(1).default(0),
  }),
  /** Ends the fault that is on, and the external load. */
  z.strictObject({ kind: z.literal('none') }),
]);

export const vllmFaultSchema = z.union([requestFaultSchema, stateFaultSchema]);
export type VllmFault = z.input<typeof vllmFaultSchema>;

/** The fault that is on, and how many requests it still hits. */
export class FaultSlot {
  #fault: RequestFault | null = null;
  #left = 0;

  set(fault: RequestFault | null): void {
    this.#fault = fault;
    this.#left = fault?.times ?? Number.POSITIVE_INFINITY;
  }

  /** The fault for a request to this path, counted as one hit. */
  take(path: string): RequestFault | null {
    const fault = this.#fault;
    if (!fault || !(fault.paths ?? INFERENCE_PATHS).includes(path)) return null;
    this.#left -= 1;
    if (this.#left <= 0) this.#fault = null;
    return fault;
  }
}

/** What a fault does to the bytes of an answer. */
export function wireFaults(fault: RequestFault | null): WireFaults {
  if (fault?.kind === 'stopMidStream') return { cutAfterEvents: fault.afterChunks };
  if (fault?.kind === 'truncateJson') return { truncate: true };
  return fault?.kind === 'splitUtf8' ? { splitCharacters: true } : {};
}
