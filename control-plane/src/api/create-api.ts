import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import { createRequestIds } from '../gateway/admission/request-ids.js';
import { answerProblem, toApiError } from './answer-problem.js';
import type { ApiContext } from './api-context.js';
import { allowedMethods, describeApi } from './api-document.js';
import { guardWrites } from './guard-writes.js';
import { HostStreams } from './host-streams.js';
import { limitBody } from './limit-body.js';
import { ApiError } from './problem.js';
import { refuseInvalidInput } from './refuse-invalid-input.js';
import { refuseUnknownQueries } from './refuse-unknown-queries.js';
import { addAuditRoutes } from './routes/audit-routes.js';
import { addBackupRoutes } from './routes/backup-routes.js';
import { addCheckRoutes } from './routes/check-routes.js';
import { addControlPlaneRoutes } from './routes/control-plane-routes.js';
import { addDeclaredRoutes } from './routes/declared-routes.js';
import { addDeploymentRoutes } from './routes/deployment-routes.js';
import { addDeploymentVerbRoutes } from './routes/deployment-verb-routes.js';
import { addFeedRoutes } from './routes/feed-routes.js';
import { addHostLifeRoutes } from './routes/host-life-routes.js';
import { addHostRoutes } from './routes/host-routes.js';
import { addKeyRoutes } from './routes/key-routes.js';
import { addLogLevelRoutes } from './routes/log-level-routes.js';
import { addLogRoutes } from './routes/log-routes.js';
import { addModelRoutes } from './routes/model-routes.js';
import { addOrphanRoutes } from './routes/orphan-routes.js';
import { addOwnerRoutes } from './routes/owner-routes.js';
import { addPowerRoutes } from './routes/power-routes.js';
import { addRehearsalRoutes } from './routes/rehearsal-routes.js';
import { addRequestRoutes } from './routes/request-routes.js';
import { addRoleRoutes } from './routes/role-routes.js';
import { addSleepRoutes } from './routes/sleep-routes.js';
import { addTelemetryRoutes } from './routes/telemetry-routes.js';
import { addTokenRoutes } from './routes/token-routes.js';
import { addUpgradeRoutes } from './routes/upgrade-routes.js';
import { addUsageRoutes } from './routes/usage-routes.js';
import { addWakeRoutes } from './routes/wake-routes.js';

const MAX_BODY_BYTES = 1024 * 1024;
const DOCUMENT_PATH = '/api/v1/openapi.json';

declare module 'hono' {
  interface ContextVariableMap {
    requestId: string;
    /** Who calls, as the audit log names them. */
    actor: string;
  }
}

/** The REST control API under `/api/v1`; every call but the document itself needs the admin token. */
export function createApi(context: ApiContext, log: Logger): OpenAPIHono {
  const app = new OpenAPIHono().basePath('/api/v1');
  const requestId = createRequestIds(Math.random);

  app.use('*', async (c, next) => {
    c.set('requestId', requestId(c.req.header('x-request-id')));
    await next();
    c.header('x-request-id', c.get('requestId'));
  });
  app.use('*', async (c, next) => {
    if (c.req.path !== DOCUMENT_PATH) c.set('actor', requireAdmin(context, c.req.header('authorization')));
    await next();
  });
  app.use('*', limitBody(MAX_BODY_BYTES));
  refuseInvalidInput(app);
  refuseUnknownQueries(app);
  guardWrites(app, { journal: context.writes, clock: context.clock, log });
  addControlPlaneRoutes(app, context);
  addHostRoutes(app, context);
  addHostLifeRoutes(app, context);
  addTelemetryRoutes(app, context);
  addDeclaredRoutes(app, context);
  addDeploymentRoutes(app, context);
  addDeploymentVerbRoutes(app, context);
  const streams = new HostStreams(context.hostCalls, context.clock);
  addLogRoutes(app, context, streams);
  addModelRoutes(app, context, streams);
  addOrphanRoutes(app, context);
  addOwnerRoutes(app, context);
  addUpgradeRoutes(app, context);
  addRoleRoutes(app, context);
  addTokenRoutes(app, context);
  addCheckRoutes(app, context);
  addAuditRoutes(app, context);
  addKeyRoutes(app, context);
  addFeedRoutes(app, context);
  addRequestRoutes(app, context);
  addUsageRoutes(app, context);
  addWakeRoutes(app, context);
  addRehearsalRoutes(app, context);
  addSleepRoutes(app, context);
  addPowerRoutes(app, context);
  addLogLevelRoutes(app, context);
  addBackupRoutes(app, context);
  addDocumentRoute(app);

  // Made when it is first asked for: no start waits for it.
  let made: ReturnType<typeof describeApi> | null = null;
  const document = () => {
    made ??= describeApi(app);
    return made;
  };
  app.get('/openapi.json', (c) => c.json(document()));
  app.notFound((c) =>
    answerProblem(nothingThere(c, allowedMethods(document(), c.req.path)), c.get('requestId')),
  );
  app.onError((error, c) => {
    const problem = toApiError(error, c.get('requestId'), log);
    c.set('problemCode', problem.code);
    return answerProblem(problem, c.get('requestId'));
  });
  return app;
}

/** Described alone: it cannot be made before the last route is there. */
function addDocumentRoute(app: OpenAPIHono): void {
  app.openAPIRegistry.registerPath(
    createRoute({
      method: 'get',
      path: '/openapi.json',
      operationId: 'getApiDocument',
      tags: ['control plane'],
      summary: 'This document; needs no token',
      security: [],
      responses: {
        200: {
          description: 'OpenAPI 3.1',
          content: { 'application/json': { schema: z.record(z.string(), z.unknown()) } },
        },
      },
    }),
  );
}

function nothingThere(c: Context, allowed: readonly string[]): ApiError {
  const { method, path } = c.req;
  if (allowed.length === 0) {
    return new ApiError('not_found', `there is no ${method} ${path}`, `see ${DOCUMENT_PATH}`);
  }
  const fix = `use ${allowed.join(' or ')}`;
  return new ApiError('method_not_allowed', `${path} does not take ${method}`, fix, {
    allow: allowed.join(', '),
  });
}

/** @returns who calls */
function requireAdmin(context: ApiContext, authorization: string | undefined): string {
  const presented = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (presented !== undefined && context.verifyAdminToken(presented)) return 'admin token';
  throw new ApiError(
    'unauthorised',
    presented === undefined ? 'no admin token was sent' : 'the admin token is wrong',
    'send "Authorization: Bearer …" with the token from the file that "ai-fabric up" names',
    { 'www-authenticate': 'Bearer' },
  );
}
