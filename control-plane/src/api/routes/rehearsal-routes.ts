import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { findJoinedHost } from '../describe-host.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { rehearsalSchema, rehearseSchema } from '../wake-schemas.js';
import { hostParam } from './host-routes.js';

const described = {
  description: 'The rehearsal',
  content: { 'application/json': { schema: rehearsalSchema } },
};

export function addRehearsalRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/hosts/{host}/rehearse',
      operationId: 'rehearseHost',
      tags: ['hosts'],
      summary: 'Put the host to sleep, wake it and prove a token, once and on purpose; the proof is kept',
      description:
        'It goes on after the answer; ask for it with GET. A host whose wake was never proven from a state is not put into that state by itself.',
      request: {
        params: hostParam,
        body: { content: { 'application/json': { schema: rehearseSchema } } },
      },
      responses: { 200: described, ...problemResponses(400, 401, 404, 503, 507) },
    }),
    (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      const { action, despiteGuards } = c.req.valid('json');
      return c.json(context.hostWakes.rehearse({ host: name, action, despiteGuards }), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/hosts/{host}/rehearsal',
      operationId: 'getRehearsal',
      tags: ['hosts'],
      summary: 'How the last rehearsal of the host goes, or went, since the control plane began',
      request: { params: hostParam },
      responses: { 200: described, ...problemResponses(401, 404) },
    }),
    (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      const found = context.hostWakes.rehearsal(name);
      if (found !== null) return c.json(found, 200);
      const fix = `begin one: ai-fabric hosts rehearse ${name}`;
      throw new ApiError('not_found', `host "${name}" was not rehearsed since the control plane began`, fix);
    },
  );
}
