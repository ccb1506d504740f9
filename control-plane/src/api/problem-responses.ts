import { problemSchema } from './problem.js';

const descriptions = {
  400: 'The request is not valid',
  401: 'The admin token is missing or wrong',
  403: 'Not allowed',
  404: 'There is no such thing',
  409: 'Something still uses it, or it was changed in between',
  422: 'The idempotency key belongs to another request',
  502: 'The host could not do it',
  503: 'The registry is locked by another program, or the host has no tunnel',
  504: 'The host did not answer in time',
  507: 'The registry, or a backup of it, cannot be written',
} as const;

type ProblemStatus = keyof typeof descriptions;

interface ProblemResponse {
  description: string;
  content: { 'application/problem+json': { schema: typeof problemSchema } };
}

/** The failures that a route documents; those that every route has are added to the document. */
export function problemResponses<Status extends ProblemStatus>(
  ...statuses: readonly Status[]
): Record<Status, ProblemResponse> {
  const responses: Partial<Record<Status, ProblemResponse>> = {};
  for (const status of statuses) {
    responses[status] = {
      description: descriptions[status],
      content: { 'application/problem+json': { schema: problemSchema } },
    };
  }
  return responses as Record<Status, ProblemResponse>;
}
