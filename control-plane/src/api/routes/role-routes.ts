import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { copied } from '../../declared/decide/order-capabilities.js';
import type { DeclaredRole, Target } from '../../declared/declared-state.js';
import { roleEntrySchema } from '../../declared/role-entry-schema.js';
import type { ApiContext } from '../api-context.js';
import { changeDeclared } from '../change-declared.js';
import { byName, pageOfItems, pageQuerySchema } from '../pagination.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { listOf, roleSchema } from '../schemas.js';

const params = z.object({
  role: z.string().openapi({ param: { name: 'role', in: 'path' }, example: 'chat-fast' }),
});
const oneRole = { description: 'The role', content: { 'application/json': { schema: roleSchema } } };

export function addRoleRoutes(app: OpenAPIHono, context: ApiContext): void {
  addReadRoutes(app, context);
  addWriteRoutes(app, context);
}

function addReadRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/roles',
      operationId: 'listRoles',
      tags: ['roles'],
      summary: 'All roles, with their live state; by name',
      request: { query: pageQuerySchema },
      responses: {
        200: { description: 'Roles', content: { 'application/json': { schema: listOf(roleSchema) } } },
        ...problemResponses(400, 401),
      },
    }),
    (c) => {
      const roles = context.declared.current().roles.values();
      const page = pageOfItems(roles, c.req.valid('query'), { listing: 'listRoles' }, byName);
      return c.json({ ...page, items: page.items.map((role) => describe(context, role)) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/roles/{role}',
      operationId: 'getRole',
      tags: ['roles'],
      summary: 'One role',
      request: { params },
      responses: { 200: oneRole, ...problemResponses(401, 404) },
    }),
    (c) => c.json(describe(context, find(context, c.req.valid('param').role)), 200),
  );
}

function addWriteRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'put',
      path: '/roles/{role}',
      operationId: 'declareRole',
      tags: ['roles'],
      summary: 'Declare a role, or change one; the same twice changes nothing',
      request: { params, body: { content: { 'application/json': { schema: roleEntrySchema } } } },
      responses: { 200: oneRole, ...problemResponses(400, 401, 409, 503, 507) },
    }),
    (c) => {
      const name = c.req.valid('param').role;
      const entry = c.req.valid('json');
      changeDeclared(context, (fabric) => {
        fabric.roles[name] = entry;
      });
      return c.json(describe(context, find(context, name)), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/roles/{role}',
      operationId: 'removeRole',
      tags: ['roles'],
      summary: 'Remove a role that no alias uses any more',
      request: { params },
      responses: { 204: { description: 'Removed' }, ...problemResponses(401, 404, 409, 503, 507) },
    }),
    (c) => {
      const { name } = find(context, c.req.valid('param').role);
      const aliases = aliasesOf(context, name);
      if (aliases.length > 0) {
        throw new ApiError(
          'in_use',
          `role "${name}" has the aliases ${aliases.join(', ')}`,
          'remove those first',
        );
      }
      changeDeclared(context, (fabric) => {
        delete fabric.roles[name];
      });
      return c.body(null, 204);
    },
  );
}

function find(context: ApiContext, name: string): DeclaredRole {
  const { roles } = context.declared.current();
  const role = roles.get(name);
  if (role) return role;
  throw new ApiError(
    'not_found',
    `no role is called "${name}"; known are: ${[...roles.keys()].join(', ') || 'none yet'}`,
  );
}

function describeTarget({ when, ...target }: Target): z.infer<typeof roleSchema>['targets'][number] {
  const condition = when === null ? {} : { when: { ...when, capabilities: copied(when.capabilities) } };
  return target.kind === 'deployment'
    ? { deployment: target.deployment, ...condition }
    : { provider: target.provider, model: target.model, ...condition };
}

function aliasesOf(context: ApiContext, name: string): string[] {
  return [...context.declared.current().aliases]
    .filter(([, target]) => target === name)
    .map(([alias]) => alias);
}

function describe(context: ApiContext, role: DeclaredRole): z.infer<typeof roleSchema> {
  const listed = context.router.listModels().find((model) => model.id === role.name);
  return {
    ...role,
    targets: role.targets.map(describeTarget),
    aliases: aliasesOf(context, role.name),
    state: listed?.state ?? 'unavailable',
    servedBy: listed?.servedBy ?? null,
    readyInSeconds: listed?.readyInSeconds ?? null,
  };
}
