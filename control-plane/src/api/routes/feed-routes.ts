import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { feedChangeSchema, feedGoodbyeSchema, feedSnapshotSchema } from '../../feed/feed-messages.js';
import { TICKET_LIFE_MS } from '../../feed/feed-tickets.js';
import type { ApiContext } from '../api-context.js';
import { problemResponses } from '../problem-responses.js';
import { feedTicketSchema } from '../schemas.js';

const text = (description: string) => z.string().optional().openapi({ description });

export function addFeedRoutes(app: OpenAPIHono, context: ApiContext): void {
  addTicketRoute(app, context);
  describeFeed(app);
}

function addTicketRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/feed-tickets',
      operationId: 'createFeedTicket',
      tags: ['feed'],
      summary: 'A ticket for a browser: one subscription to the feed, within 30 seconds, by the same page',
      'x-changes-nothing': true,
      responses: {
        201: { description: 'The ticket', content: { 'application/json': { schema: feedTicketSchema } } },
        ...problemResponses(401),
      },
    }),
    (c) => {
      const ticket = context.createFeedTicket(c.req.header('origin') ?? null);
      const path = `/api/v1/telemetry?ticket=${ticket}`;
      return c.json({ ticket, path, expiresAtMs: context.clock.nowMs() + TICKET_LIFE_MS }, 201);
    },
  );
}

/** Described alone: whoever speaks WebSocket never comes through here. */
function describeFeed(app: OpenAPIHono): void {
  const registry = app.openAPIRegistry;
  // A schema gets what the registry calls when it is made, and these may be older than this import of OpenAPI's.
  registry.register('FeedSnapshot', feedSnapshotSchema.clone());
  registry.register('FeedChange', feedChangeSchema.clone());
  registry.register('FeedGoodbye', feedGoodbyeSchema.clone());
  registry.registerComponent('schemas', 'FeedMessage', {
    description: 'Each text frame that a subscriber of the feed gets',
    oneOf: ['FeedSnapshot', 'FeedChange', 'FeedGoodbye'].map((name) => ({
      $ref: `#/components/schemas/${name}`,
    })),
  });
  registry.registerComponent('securitySchemes', 'feedTicket', {
    type: 'apiKey',
    in: 'query',
    name: 'ticket',
  });
  registry.registerPath(
    createRoute({
      method: 'get',
      path: '/telemetry',
      operationId: 'openTelemetryFeed',
      tags: ['feed'],
      summary: 'The live feed over WebSocket: a snapshot, then differences; each frame is a FeedMessage',
      security: [{ adminToken: [] }, { feedTicket: [] }],
      request: {
        query: z.object({
          hosts: text('Names of hosts, with commas between; left out: all'),
          kinds: text('Of hosts, replicas, samples, with commas between; samples come with their hosts'),
          stream: text('With resume: the "stream" of the snapshot that was had'),
          resume: text(
            'The last "seq" that was had: what came since is sent, if it is kept; else a snapshot',
          ),
        }),
      },
      responses: {
        101: { description: 'WebSocket: FeedMessage frames' },
        426: { $ref: '#/components/responses/Problem' },
        ...problemResponses(400, 401, 403),
      },
    }),
  );
}
