import { createRoute, type OpenAPIHono, type z } from '@hono/zod-openapi';
import { checkFabricValue } from '../../declared/check-fabric-value.js';
import { serialiseDeclaredState } from '../../declared/decide/serialise-declared-state.js';
import type { ApiContext } from '../api-context.js';
import { applyDocument, planDocument } from '../apply-document.js';
import { invalid } from '../change-declared.js';
import {
  appliedSchema,
  applyPlanSchema,
  applyRequestSchema,
  declaredSchema,
  driftRequestSchema,
  driftSchema,
  planRequestSchema,
} from '../declared-schemas.js';
import { listDrift } from '../list-drift.js';
import { problemResponses } from '../problem-responses.js';

const tags = ['declared state'];

export function addDeclaredRoutes(app: OpenAPIHono, context: ApiContext): void {
  addReadRoute(app, context);
  addApplyRoutes(app, context);
  addDriftRoutes(app, context);
}

function addReadRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/declared',
      operationId: 'getDeclaredState',
      tags,
      summary: 'The whole declared state, as a fabric.yaml holds it',
      responses: { 200: answer('The declared state', declaredSchema), ...problemResponses(401) },
    }),
    (c) => {
      const state = context.declared.current();
      return c.json({ revision: state.revision, document: { ...serialiseDeclaredState(state) } }, 200);
    },
  );
}

function addApplyRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/declared/plan',
      operationId: 'planDeclaredState',
      'x-changes-nothing': true,
      tags,
      summary: 'What applying a document would change; changes nothing',
      request: { body: { content: { 'application/json': { schema: planRequestSchema } } } },
      responses: { 200: answer('The plan', applyPlanSchema), ...problemResponses(400, 401) },
    }),
    (c) => {
      const { document, prune } = c.req.valid('json');
      return c.json(planDocument(context, document, prune).plan, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/declared/apply',
      operationId: 'applyDeclaredState',
      tags,
      summary: 'Apply a document: one transaction or nothing; the same twice changes nothing',
      request: { body: { content: { 'application/json': { schema: applyRequestSchema } } } },
      responses: {
        200: answer('What was applied', appliedSchema),
        ...problemResponses(400, 401, 409, 503, 507),
      },
    }),
    (c) => c.json(applyDocument(context, c.req.valid('json')), 200),
  );
}

function addDriftRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/declared/drift',
      operationId: 'getDrift',
      tags,
      summary: 'Where the file of `up --config` differs from the registry, and hosts from what is declared',
      responses: { 200: answer('What differs', driftSchema), ...problemResponses(401) },
    }),
    (c) => c.json(listDrift(context, namedFile(context)), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/declared/drift',
      operationId: 'compareDrift',
      'x-changes-nothing': true,
      tags,
      summary: 'The same with a document that is sent in the place of the file; changes nothing',
      request: { body: { content: { 'application/json': { schema: driftRequestSchema } } } },
      responses: { 200: answer('What differs', driftSchema), ...problemResponses(400, 401) },
    }),
    (c) => {
      const { document } = c.req.valid('json');
      const file = checkFabricValue(document);
      if (!file.ok) throw invalid(file.findings);
      return c.json(listDrift(context, { name: null, read: { ...file, document } }), 200);
    },
  );
}

function namedFile({ fabricFile }: ApiContext) {
  const read = fabricFile.read();
  return read && { name: fabricFile.path, read };
}

function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}
