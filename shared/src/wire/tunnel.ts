import { z } from 'zod';
import { nameSchema } from '../domain/names.js';

/**
 * The tunnel's beginning, over the TLS connection that the agent dials: a GET of `TUNNEL_PATH` that asks for
 * `TUNNEL_PROTOCOL`; a 101 with the challenge in a header; the agent's hello, one line of JSON; the answer, one line
 * of JSON. After a welcome both ends speak HTTP/2 with the roles reversed: the control plane asks, the agent serves.
 */
export const TUNNEL_PATH = '/agent/v1/tunnel';
export const TUNNEL_PROTOCOL = 'ai-fabric-tunnel';
export const TUNNEL_CHALLENGE_HEADER = 'x-fabric-tunnel-challenge';

/** On an answer that is the agent's own and no engine's: one of `tunnelErrorCodes`. An engine's is taken off. */
export const TUNNEL_ERROR_HEADER = 'x-fabric-tunnel-error';

/** The `:authority` of what the agent answers itself. Every other authority is a deployment's name. */
export const AGENT_AUTHORITY = 'agent.fabric';

export const MAX_TUNNEL_LINE_BYTES = 4_096;
/** Requests under way on one tunnel. */
export const MAX_TUNNEL_STREAMS = 256;
/** What one stream may send ahead of its reader, in each direction. */
export const TUNNEL_STREAM_WINDOW_BYTES = 256 * 1024;

export const tunnelHelloSchema = z.object({
  /** Ed25519 public key, DER SPKI, base64. */
  publicKey: z.base64().min(40).max(200),
  /** Ed25519 over `tunnelProofText(...)`, base64. */
  proof: z.base64().min(40).max(200),
  machineSha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the agent process whose link this tunnel goes with. */
  instanceId: z.string().min(1).max(80),
});
export type TunnelHello = z.infer<typeof tunnelHelloSchema>;

export const tunnelRefusalSchema = z.enum([
  /** No hello, or none that can be read. */
  'protocol_error',
  'proof_failed',
  'unknown_host',
  'revoked',
  'machine_mismatch',
  /** The host has no link of this agent process: the link comes first. */
  'not_linked',
  'unavailable',
]);
export type TunnelRefusal = z.infer<typeof tunnelRefusalSchema>;

export const tunnelAnswerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('welcome'), hostName: nameSchema }),
  z.object({ type: z.literal('refused'), reason: tunnelRefusalSchema, detail: z.string().max(500) }),
]);
export type TunnelAnswer = z.infer<typeof tunnelAnswerSchema>;

/** Why an agent did not pass a request on, and the status that its answer has. */
export const tunnelErrorStatus = {
  path_not_allowed: 404,
  method_not_allowed: 405,
  bad_request: 400,
  /** The agent keeps no replica of this name, or it has no engine to ask now. */
  no_engine: 503,
  too_many_streams: 503,
  engine_refused: 502,
  /** The engine ended a connection that had been used before just as it was used again: it saw nothing of the request. */
  engine_stale: 502,
  /** The engine ended the connection before it answered. */
  engine_reset: 502,
  engine_failed: 502,
  internal: 500,
} as const;
export type TunnelErrorCode = keyof typeof tunnelErrorStatus;

export function isTunnelErrorCode(text: string): text is TunnelErrorCode {
  return Object.hasOwn(tunnelErrorStatus, text);
}

/** What may be asked of an engine. vLLM leaves much else open that must not be reached from afar. */
export const engineEndpoints: ReadonlyMap<string, 'GET' | 'POST'> = new Map([
  ['/v1/models', 'GET'],
  ['/v1/chat/completions', 'POST'],
  ['/v1/completions', 'POST'],
  ['/v1/embeddings', 'POST'],
  ['/v1/responses', 'POST'],
  ['/v1/messages', 'POST'],
  ['/v1/messages/count_tokens', 'POST'],
  ['/v1/audio/transcriptions', 'POST'],
  ['/v1/audio/translations', 'POST'],
  ['/v1/rerank', 'POST'],
  ['/v1/score', 'POST'],
]);
