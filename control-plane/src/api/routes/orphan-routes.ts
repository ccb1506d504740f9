import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { LiveHost } from '../../live/live-view.js';
import type { ApiContext } from '../api-context.js';
import { orphansRemovedSchema } from '../deployment-schemas.js';
import { findJoinedHost } from '../describe-host.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { requireDone } from '../require-done.js';

/** A container that does not end by itself is killed by its engine long before. */
const REMOVE_DEADLINE_MS = 120_000;
const CONTAINER_ID = /^[0-9a-f]{12,64}$/;

export function addOrphanRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/hosts/{host}/orphans/remove',
      operationId: 'removeOrphans',
      tags: ['hosts'],
      summary:
        'Remove containers of a host that carry our label and that nothing declares; waits until they are gone',
      request: {
        params: z.object({
          host: z.string().openapi({ param: { name: 'host', in: 'path' }, example: 'armitage' }),
        }),
        body: {
          content: {
            'application/json': {
              schema: z.strictObject({
                containerIds: z
                  .array(z.string().regex(CONTAINER_ID, 'expected an id of a container'))
                  .min(1)
                  .max(64)
                  .optional()
                  .openapi({ description: 'Left out: all that the host reports as orphans' }),
              }),
            },
          },
        },
      },
      responses: {
        200: {
          description: 'What was removed',
          content: { 'application/json': { schema: orphansRemovedSchema } },
        },
        ...problemResponses(400, 401, 404, 409, 502, 504),
      },
    }),
    async (c) => {
      const host = findJoinedHost(context, c.req.valid('param').host);
      const ids = chooseOrphans(host, c.req.valid('json').containerIds);
      if (ids.length === 0) return c.json({ removed: [], detail: 'the host reports no orphans' }, 200);
      const detail = await removeAll(context, host.name, ids);
      const nameOf = (id: string) => host.orphans.find(({ containerId }) => containerId === id)?.name ?? null;
      const removed = ids.map((containerId) => ({ containerId, name: nameOf(containerId) }));
      return c.json({ removed, detail }, 200);
    },
  );
}

/** Only what the host itself tells to be an orphan is asked for; its agent looks again before it removes anything. */
function chooseOrphans(host: LiveHost, named: readonly string[] | undefined): readonly string[] {
  const reported = host.orphans.map(({ containerId }) => containerId);
  const stranger = named?.find((id) => !reported.includes(id));
  if (stranger === undefined) return named ?? reported;
  const fix = `see them: ai-fabric hosts show ${host.name}`;
  throw new ApiError('not_found', `host "${host.name}" reports no orphan ${stranger}`, fix);
}

/** @throws ApiError host_away, host_failed, host_unanswered */
async function removeAll(context: ApiContext, host: string, ids: readonly string[]): Promise<string | null> {
  const end = await context.hostCalls.removeOrphans(host, ids, REMOVE_DEADLINE_MS);
  return requireDone(host, end, REMOVE_DEADLINE_MS);
}
