import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { deploymentEntrySchema } from '../../declared/deployment-entry-schema.js';
import type { ApiContext } from '../api-context.js';
import { changeDeclared } from '../change-declared.js';
import { deploymentSchema } from '../deployment-schemas.js';
import { describeDeployment } from '../describe-deployment.js';
import { putEntry, usersOf } from '../edit-deployment.js';
import { findDeployment } from '../find-deployment.js';
import { byName, pageOfItems, pageQuerySchema } from '../pagination.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { listOf } from '../schemas.js';

const params = z.object({ deployment: z.string().openapi({ param: { name: 'deployment', in: 'path' } }) });
const oneDeployment = {
  description: 'The deployment',
  content: { 'application/json': { schema: deploymentSchema } },
};

export function addDeploymentRoutes(app: OpenAPIHono, context: ApiContext): void {
  addReadRoutes(app, context);
  addDeclareRoute(app, context);
  addRemoveRoute(app, context);
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
      return c.json({ ...page, items: page.items.map((each) => describeDeployment(context, each)) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/deployments/{deployment}',
      operationId: 'getDeployment',
      tags: ['deployments'],
      summary: 'One deployment, and all that is observed of its replica',
      request: { params },
      responses: { 200: oneDeployment, ...problemResponses(401, 404) },
    }),
    (c) => c.json(describeDeployment(context, findDeployment(context, c.req.valid('param').deployment)), 200),
  );
}

function addDeclareRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'put',
      path: '/deployments/{deployment}',
      operationId: 'declareDeployment',
      tags: ['deployments'],
      summary:
        'Declare a deployment, or change one; the same twice changes nothing. A host that has joined and is not declared is declared with it',
      request: { params, body: { content: { 'application/json': { schema: deploymentEntrySchema } } } },
      responses: { 200: oneDeployment, ...problemResponses(400, 401, 409, 503, 507) },
    }),
    (c) => {
      const name = c.req.valid('param').deployment;
      const entry = c.req.valid('json');
      changeDeclared(context, (fabric) => {
        putEntry(context, fabric, name, entry);
      });
      return c.json(describeDeployment(context, findDeployment(context, name)), 200);
    },
  );
}

function addRemoveRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/deployments/{deployment}',
      operationId: 'removeDeployment',
      tags: ['deployments'],
      summary: 'Remove a deployment that no role or alias uses any more; its container goes, its caches stay',
      request: {
        params,
        query: z.object({
          roles: z.string().optional().openapi({
            description:
              'All roles that still have it as a target, with commas between: it is taken out of them in the same breath',
            example: 'chat-fast,code-assist',
          }),
        }),
      },
      responses: { 204: { description: 'Removed' }, ...problemResponses(400, 401, 404, 409, 503, 507) },
    }),
    (c) => {
      const { name } = findDeployment(context, c.req.valid('param').deployment);
      const named = (c.req.valid('query').roles ?? '').split(',').filter((role) => role !== '');
      refuseWhileUsed(context, name, named);
      changeDeclared(context, (fabric) => {
        delete fabric.deployments[name];
        for (const role of Object.values(fabric.roles)) {
          role.targets = role.targets.filter(
            (target) => !('deployment' in target && target.deployment === name),
          );
        }
      });
      return c.body(null, 204);
    },
  );
}

/** @param named the roles that the caller knows it leaves */
function refuseWhileUsed(context: ApiContext, name: string, named: readonly string[]): void {
  const { roles, aliases } = usersOf(context, name);
  const stranger = named.find((role) => !roles.includes(role));
  if (stranger !== undefined) {
    throw new ApiError('conflict', `role "${stranger}" does not have deployment "${name}" as a target`);
  }
  const users = [
    ...roles.filter((role) => !named.includes(role)).map((role) => `role ${role}`),
    ...aliases.map((alias) => `alias ${alias}`),
  ];
  if (users.length === 0) return;
  const fix = `change those first${roles.length > 0 ? `, or name the roles that it leaves (roles=${roles.join(',')}, --from-roles)` : ''}`;
  throw new ApiError('in_use', `deployment "${name}" is used by ${users.join(', ')}`, fix);
}
