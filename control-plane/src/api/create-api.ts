import { PROTOCOL_VERSION } from '@ai-fabric/shared';
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from 'pino';
import { RegistryError } from '../registry/registry-error.js';
import { VERSION } from '../version.js';
import type { ApiContext } from './api-context.js';
import { limitBody } from './limit-body.js';
import { ApiError } from './problem.js';
import { problemResponses } from './problem-responses.js';
import { addCheckRoutes } from './routes/check-routes.js';
import { addDeploymentRoutes } from './routes/deployment-routes.js';
import { addHostRoutes } from './routes/host-routes.js';
import { addRoleRoutes } from './routes/role-routes.js';
import { addTokenRoutes } from './routes/token-routes.js';
import { statusSchema } from './schemas.js';

const MAX_BODY_BYTES = 1024 * 1024;

/** The REST control API under `/api/v1`; every call but the document itself needs the admin token. */
export function createApi(context: ApiContext, log: Logger): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (result.success) return;
      const [issue] = result.error.issues;
      const place = issue?.path.join('.') || 'body';
      throw new ApiError('invalid', `${result.target} ${place}: ${issue?.message ?? 'invalid'}`);
    },
  }).basePath('/api/v1');

  app.use('*', async (c, next) => {
    if (c.req.path !== '/api/v1/openapi.json') requireAdmin(context, c.req.header('authorization'));
    await next();
  });
  app.use('*', limitBody(MAX_BODY_BYTES));
  addStatusRoute(app, context);
  addHostRoutes(app, context);
  addDeploymentRoutes(app, context);
  addRoleRoutes(app, context);
  addTokenRoutes(app, context);
  addCheckRoutes(app, context);
  app.openAPIRegistry.registerComponent('securitySchemes', 'adminToken', { type: 'http', scheme: 'bearer' });
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'AI Fabric control API', version: VERSION },
    security: [{ adminToken: [] }],
  });
  app.notFound((c) =>
    problem(
      new ApiError('not_found', `there is no ${c.req.method} ${c.req.path}`, 'see /api/v1/openapi.json'),
    ),
  );
  app.onError((error) => problem(toApiError(error, log)));
  return app;
}

function addStatusRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/status',
      tags: ['control plane'],
      summary: 'The control plane itself',
      responses: {
        200: { description: 'Status', content: { 'application/json': { schema: statusSchema } } },
        ...problemResponses(401),
      },
    }),
    (c) =>
      c.json(
        {
          ...context.status(),
          version: VERSION,
          protocolVersion: PROTOCOL_VERSION,
          declaredRevision: context.declared.current().revision,
          certificateSha256: context.certificateSha256,
        },
        200,
      ),
  );
}

function requireAdmin(context: ApiContext, authorization: string | undefined): void {
  const presented = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (presented !== undefined && context.verifyAdminToken(presented)) return;
  throw new ApiError(
    'unauthorised',
    presented === undefined ? 'no admin token was sent' : 'the admin token is wrong',
    'send "Authorization: Bearer …" with the token from the file that "ai-fabric up" names',
  );
}

function toApiError(error: Error, log: Logger): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof HTTPException) {
    const fix = 'send the body as JSON, with "content-type: application/json"';
    return new ApiError(error.status === 415 ? 'unsupported_media_type' : 'invalid', error.message, fix);
  }
  if (error instanceof RegistryError) {
    const busy = error.code === 'registry_busy';
    return new ApiError(busy ? 'registry_busy' : 'registry_unwritable', error.message, error.fix);
  }
  log.error({ error: error.stack ?? error.message }, 'a control API call failed');
  return new ApiError('internal', 'the control plane failed on this call; its log says more');
}

function problem(error: ApiError): Response {
  return new Response(JSON.stringify(error), {
    status: error.status,
    headers: { 'content-type': 'application/problem+json' },
  });
}
