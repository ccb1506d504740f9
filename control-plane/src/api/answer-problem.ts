import { HTTPException } from 'hono/http-exception';
import type { Logger } from 'pino';
import { RegistryError } from '../registry/registry-error.js';
import { ApiError } from './problem.js';

/** What a route, a validator or the registry threw, as the problem that its caller is told. */
export function toApiError(error: Error, requestId: string, log: Logger): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof HTTPException) {
    const fix = 'send the body as JSON, with "content-type: application/json"';
    return new ApiError(error.status === 415 ? 'unsupported_media_type' : 'invalid', error.message, fix);
  }
  if (error instanceof RegistryError) {
    const { code, message, fix } = error;
    const known = code === 'registry_busy' || code === 'query_unanswered';
    return new ApiError(known ? code : 'registry_unwritable', message, fix);
  }
  log.error({ requestId, error: error.stack ?? error.message }, 'a control API call failed');
  return new ApiError('internal', 'the control plane failed on this call; its log says more');
}

export function answerProblem(error: ApiError, requestId: string): Response {
  return new Response(JSON.stringify(error.toProblem(requestId)), {
    status: error.status,
    headers: { ...error.headers, 'content-type': 'application/problem+json' },
  });
}
