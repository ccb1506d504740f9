import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { doctorRunSchema, smokeRunSchema } from '../../checks/check-records.js';
import { scopeOf } from '../../checks/decide/order-findings.js';
import type { ApiContext } from '../api-context.js';
import { bundleSchema, checksSchema } from '../check-schemas.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';

const doctorBody = z.object({
  target: z.string().min(1).optional().openapi({
    description: 'A host, with its deployments, or a deployment, with its host; left out: everything',
    example: 'armitage',
  }),
});
const smokeBody = z.object({
  cloud: z.boolean().default(false).openapi({ description: 'Whether providers may be asked, which spends' }),
  wake: z
    .boolean()
    .default(false)
    .openapi({ description: 'Whether hosts that sleep are woken and waited for, five minutes each at most' }),
});

export function addCheckRoutes(app: OpenAPIHono, context: ApiContext): void {
  addLastRoute(app, context);
  addDoctorRoute(app, context);
  addSmokeRoute(app, context);
  addBundleRoute(app, context);
}

function addLastRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/checks',
      operationId: 'getChecks',
      tags: ['checks'],
      summary: 'What doctor and smoke found last, when they run next, and whether the webhook is told',
      responses: {
        200: { description: 'The checks', content: { 'application/json': { schema: checksSchema } } },
        ...problemResponses(401),
      },
    }),
    (c) => {
      const { checks } = context.declared.current();
      const { doctor, smoke } = context.checks.last();
      return c.json(
        {
          doctor: { schedule: checks.doctor, nextAtMs: context.checks.nextAtMs('doctor'), last: doctor },
          smoke: { schedule: checks.smoke, nextAtMs: context.checks.nextAtMs('smoke'), last: smoke },
          webhook: { declared: checks.webhook !== null, ...context.checks.webhook() },
        },
        200,
      );
    },
  );
}

function addDoctorRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/checks/doctor',
      operationId: 'runDoctor',
      'x-changes-nothing': true,
      tags: ['checks'],
      summary: 'Look at everything that can be wrong; spends nothing, wakes nobody',
      request: { body: { required: true, content: { 'application/json': { schema: doctorBody } } } },
      responses: {
        200: { description: 'Findings', content: { 'application/json': { schema: doctorRunSchema } } },
        ...problemResponses(400, 401, 404),
      },
    }),
    async (c) => {
      const { target } = c.req.valid('json');
      const scope = target === undefined ? null : scopeNamed(context, target);
      return c.json(await context.checks.doctor(scope), 200);
    },
  );
}

function scopeNamed({ declared, live }: ApiContext, target: string): ReadonlySet<string> {
  const state = declared.current();
  const hosts = new Set([...live.hosts()].map(({ name }) => name));
  const scope = scopeOf(target, state, hosts);
  if (scope !== null) return scope;
  const known = [...new Set([...state.hosts.keys(), ...hosts, ...state.deployments.keys()])].sort();
  throw new ApiError(
    'not_found',
    `no host or deployment is called "${target}"; known are: ${known.join(', ') || 'none yet'}`,
  );
}

function addSmokeRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/checks/smoke',
      operationId: 'runSmoke',
      'x-changes-nothing': true,
      tags: ['checks'],
      summary:
        'A real request through every role and alias; asks no provider and wakes nobody unless told to',
      request: { body: { required: true, content: { 'application/json': { schema: smokeBody } } } },
      responses: {
        200: { description: 'Outcomes', content: { 'application/json': { schema: smokeRunSchema } } },
        ...problemResponses(400, 401),
      },
    }),
    async (c) => {
      const { cloud, wake } = c.req.valid('json');
      return c.json(await context.checks.smoke({ cloud, wake }), 200);
    },
  );
}

function addBundleRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/checks/bundle',
      operationId: 'getBundle',
      tags: ['checks'],
      summary: 'What helps somebody else to understand this fabric; every secret is masked',
      responses: {
        200: { description: 'Its parts', content: { 'application/json': { schema: bundleSchema } } },
        ...problemResponses(401, 503),
      },
    }),
    (c) => c.json(bundleSchema.parse(context.checks.bundle()), 200),
  );
}
