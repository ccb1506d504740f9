import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { describeHostInDetail, findHost, findJoinedHost } from '../describe-host.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { requireDone } from '../require-done.js';
import { hostDetailSchema } from '../schemas.js';
import { hostParam } from './host-routes.js';

/** The agent only has to note it: the cards are freed afterwards, and told by report. */
const TELL_DEADLINE_MS = 10_000;

const SUMMARIES = {
  yield: 'The host’s cards are its owner’s: requests under way finish, then the cards are freed; it stays so',
  unyield: 'The host’s cards are the fabric’s again, unless its owner took them at the host itself',
} as const;

/** Whose the cards of a host are. */
export function addOwnerRoutes(app: OpenAPIHono, context: ApiContext): void {
  for (const verb of ['yield', 'unyield'] as const) addOwnerRoute(app, context, verb);
}

function addOwnerRoute(app: OpenAPIHono, context: ApiContext, verb: 'yield' | 'unyield'): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: `/hosts/{host}/${verb}`,
      operationId: `${verb}Host`,
      tags: ['hosts'],
      summary: SUMMARIES[verb],
      request: { params: hostParam },
      responses: {
        200: {
          description: 'The host; what its agent reports of it may follow a moment later',
          content: { 'application/json': { schema: hostDetailSchema } },
        },
        ...problemResponses(401, 404, 409, 502, 504),
      },
    }),
    async (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      await tell(context, name, verb);
      return c.json(describeHostInDetail(context, findHost(context, name)), 200);
    },
  );
}

const AWAY = {
  yield: 'away it uses no card, and nothing is kept for when it is back',
  unyield: 'its agent cannot be asked, and what its owner has stays theirs',
} as const;

function fixAway(verb: 'yield' | 'unyield', host: string): string {
  return verb === 'yield'
    ? `at the machine itself, with or without a link: ai-fabric-agent yield; to keep requests from waking and using it meanwhile: ai-fabric hosts drain ${host}`
    : `at the machine itself: ai-fabric-agent unyield; or ask again when it is back: ai-fabric hosts show ${host}`;
}

/** @throws ApiError host_away, host_failed, host_unanswered */
async function tell(context: ApiContext, host: string, verb: 'yield' | 'unyield'): Promise<void> {
  const end = await context.hostCalls.tellOwner(host, verb, TELL_DEADLINE_MS);
  if (end === 'too_old') {
    const fix = 'put an agent of this version on it';
    throw new ApiError('host_failed', `the agent of ${host} is too old to know of owners`, fix);
  }
  if (end === null)
    throw new ApiError('host_away', `host "${host}" has no link: ${AWAY[verb]}`, fixAway(verb, host));
  requireDone(host, end, TELL_DEADLINE_MS);
}
