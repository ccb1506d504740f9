import { withoutDirectKey } from '@ai-fabric/shared';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { DeclaredDeployment } from '../../declared/declared-state.js';
import { deploymentEntrySchema } from '../../declared/fabric-schema.js';
import type { ApiContext } from '../api-context.js';
import { changeDeclared } from '../change-declared.js';
import { byName, pageOfItems, pageQuerySchema } from '../pagination.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { deploymentSchema, listOf } from '../schemas.js';

const params = z.object({ deployment: z.string().openapi({ param: { name: 'deployment', in: 'path' } }) });
const oneDeployment = {
  description: 'The deployment',
  content: { 'application/json': { schema: deploymentSchema } },
};

export function addDeploymentRoutes(app: OpenAPIHono, context: ApiContext): void {
  addReadRoutes(app, context);
  addWriteRoutes(app, context);
}

function addReadRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/deployments',
      operationId: 'listDeployments',
      tags: ['deployments'],
      summary: 'All deployments, with what is observed of their replicas; by name',
      request: { query: pageQuerySchema },
      responses: {
        200: {
          description: 'Deployments',
          content: { 'application/json': { schema: listOf(deploymentSchema) } },
        },
        ...problemResponses(400, 401),
      },
    }),
    (c) => {
      const deployments = context.declared.current().deployments.values();
      const page = pageOfItems(deployments, c.req.valid('query'), { listing: 'listDeployments' }, byName);
      return c.json({ ...page, items: page.items.map((each) => describe(context, each)) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/deployments/{deployment}',
      operationId: 'getDeployment',
      tags: ['deployments'],
      summary: 'One deployment',
      request: { params },
      responses: { 200: oneDeployment, ...problemResponses(401, 404) },
    }),
    (c) => c.json(describe(context, find(context, c.req.valid('param').deployment)), 200),
  );
}

function addWriteRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'put',
      path: '/deployments/{deployment}',
      operationId: 'declareDeployment',
      tags: ['deployments'],
      summary: 'Declare a deployment, or change one; the same twice changes nothing',
      request: { params, body: { content: { 'application/json': { schema: deploymentEntrySchema } } } },
      responses: { 200: oneDeployment, ...problemResponses(400, 401, 409, 503, 507) },
    }),
    (c) => {
      const name = c.req.valid('param').deployment;
      const entry = c.req.valid('json');
      changeDeclared(context, (fabric) => {
        fabric.deployments[name] = entry;
      });
      return c.json(describe(context, find(context, name)), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/deployments/{deployment}',
      operationId: 'removeDeployment',
      tags: ['deployments'],
      summary: 'Remove a deployment that no role or alias uses any more',
      request: { params },
      responses: { 204: { description: 'Removed' }, ...problemResponses(401, 404, 409, 503, 507) },
    }),
    (c) => {
      const { name } = find(context, c.req.valid('param').deployment);
      refuseWhileUsed(context, name);
      changeDeclared(context, (fabric) => {
        delete fabric.deployments[name];
      });
      return c.body(null, 204);
    },
  );
}

function refuseWhileUsed(context: ApiContext, name: string): void {
  const { roles, aliases } = context.declared.current();
  const users = [
    ...[...roles.values()]
      .filter((role) => role.targets.some((each) => each.kind === 'deployment' && each.deployment === name))
      .map((role) => `role ${role.name}`),
    ...[...aliases].filter(([, target]) => target === name).map(([alias]) => `alias ${alias}`),
  ];
  if (users.length > 0) {
    throw new ApiError('in_use', `deployment "${name}" is used by ${users.join(', ')}`, 'change those first');
  }
}

function find(context: ApiContext, name: string): DeclaredDeployment {
  const { deployments } = context.declared.current();
  const deployment = deployments.get(name);
  if (deployment) return deployment;
  throw new ApiError(
    'not_found',
    `no deployment is called "${name}"; known are: ${[...deployments.keys()].join(', ') || 'none yet'}`,
  );
}

function describe(context: ApiContext, deployment: DeclaredDeployment): z.infer<typeof deploymentSchema> {
  const replica = context.live.replica(deployment.name);
  const observed = replica
    ? { status: withoutDirectKey(replica.status), reading: replica.reading, readingAtMs: replica.readingAtMs }
    : null;
  if (deployment.engine === 'external') return { ...deployment, observed };
  const { extraArguments, fallbacks, ...rest } = deployment;
  return { ...rest, extraArguments: [...extraArguments], fallbacks: [...fallbacks], observed };
}
