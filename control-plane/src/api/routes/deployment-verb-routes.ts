import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import {
  adoptContainer,
  applyVerb,
  type DeploymentVerb,
  mergeEntry,
} from '../../declared/decide/edit-deployment.js';
import type { ApiContext } from '../api-context.js';
import { changeDeclared } from '../change-declared.js';
import { checkAdoption } from '../check-adoption.js';
import {
  adoptSchema,
  changeDeploymentSchema,
  createDeploymentSchema,
  deploymentSchema,
} from '../deployment-schemas.js';
import { describeDeployment } from '../describe-deployment.js';
import { editDeployment, putEntry } from '../edit-deployment.js';
import { findDeployment } from '../find-deployment.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';

const tags = ['deployments'];
const params = z.object({ deployment: z.string().openapi({ param: { name: 'deployment', in: 'path' } }) });
const oneDeployment = {
  description: 'The deployment, as it is declared now',
  content: { 'application/json': { schema: deploymentSchema } },
};

/** Each edits what is declared and answers at once; what the agent makes of it shows in the deployment's phase. */
const VERBS: Readonly<Record<DeploymentVerb, { readonly operationId: string; readonly summary: string }>> = {
  stop: {
    operationId: 'stopDeployment',
    summary: 'Let the replica finish its requests, then stop its container; it stays declared',
  },
  start: { operationId: 'startDeployment', summary: 'Keep the replica running again' },
  restart: {
    operationId: 'restartDeployment',
    summary: 'Let the replica finish its requests, then start its container anew; also one that was stopped',
  },
  park: {
    operationId: 'parkDeployment',
    summary: 'Let the replica give its card back while its container stays: it is back in seconds',
  },
  unpark: { operationId: 'unparkDeployment', summary: 'Let the replica take its card again' },
};

export function addDeploymentVerbRoutes(app: OpenAPIHono, context: ApiContext): void {
  addCreateRoute(app, context);
  addChangeRoute(app, context);
  addVerbRoutes(app, context);
  addAdoptRoute(app, context);
  addForgetRoute(app, context);
}

function addCreateRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/deployments',
      operationId: 'createDeployment',
      tags,
      summary:
        'Declare a new deployment, from a preset or field by field; a host that has joined and is not declared is declared with it',
      request: { body: { content: { 'application/json': { schema: createDeploymentSchema } } } },
      responses: { 201: oneDeployment, ...problemResponses(400, 401, 409, 503, 507) },
    }),
    (c) => {
      const { name, deployment, expectedRevision } = c.req.valid('json');
      changeDeclared(
        context,
        (fabric) => {
          if (Object.hasOwn(fabric.deployments, name)) {
            const fix = `change it instead: PATCH /api/v1/deployments/${name}, ai-fabric deployments set ${name}`;
            throw new ApiError('conflict', `there is a deployment called "${name}" already`, fix);
          }
          putEntry(context, fabric, name, deployment);
        },
        expectedRevision,
      );
      return c.json(describeDeployment(context, findDeployment(context, name)), 201);
    },
  );
}

function addChangeRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'patch',
      path: '/deployments/{deployment}',
      operationId: 'changeDeployment',
      tags,
      summary: 'Change fields of a deployment; its container is recreated where what it is made from changed',
      request: {
        params,
        body: { content: { 'application/json': { schema: changeDeploymentSchema } } },
      },
      responses: { 200: oneDeployment, ...problemResponses(400, 401, 404, 409, 503, 507) },
    }),
    (c) => {
      const { deployment: name } = c.req.valid('param');
      const { changes, expectedRevision } = c.req.valid('json');
      const edit = (entry: Parameters<typeof mergeEntry>[0]) =>
        ({ kind: 'edit', entry: mergeEntry(entry, changes) }) as const;
      editDeployment(context, name, edit, expectedRevision);
      return c.json(describeDeployment(context, findDeployment(context, name)), 200);
    },
  );
}

function addVerbRoutes(app: OpenAPIHono, context: ApiContext): void {
  for (const [verb, { operationId, summary }] of Object.entries(VERBS)) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/deployments/{deployment}/${verb}`,
        operationId,
        tags,
        summary,
        request: { params },
        responses: { 200: oneDeployment, ...problemResponses(400, 401, 404, 409, 503, 507) },
      }),
      (c) => {
        const { deployment: name } = c.req.valid('param');
        editDeployment(context, name, (entry) => applyVerb(name, entry, verb as DeploymentVerb));
        return c.json(describeDeployment(context, findDeployment(context, name)), 200);
      },
    );
  }
}

function addAdoptRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/deployments/{deployment}/adopt',
      operationId: 'adoptContainer',
      tags,
      summary:
        'Take a container that runs already for the deployment’s replica: nothing of it is changed, what differs shows as drift',
      request: { params, body: { content: { 'application/json': { schema: adoptSchema } } } },
      responses: { 200: oneDeployment, ...problemResponses(400, 401, 404, 409, 503, 507) },
    }),
    async (c) => {
      const { deployment: name } = c.req.valid('param');
      const { container } = c.req.valid('json');
      if (container !== null) await checkAdoption(context, name, container, c.req.raw.signal);
      editDeployment(context, name, (entry) => adoptContainer(name, entry, container));
      return c.json(describeDeployment(context, findDeployment(context, name)), 200);
    },
  );
}

function addForgetRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/deployments/{deployment}/forget-rates',
      operationId: 'forgetRates',
      tags,
      summary: 'Forget how fast its engine is: it is guessed, and learned anew from its answers',
      description:
        'For a card or an engine that was changed in a way that nobody told. All images of its model on its host are forgotten.',
      request: { params },
      responses: { 200: oneDeployment, ...problemResponses(401, 404) },
    }),
    (c) => {
      const deployment = findDeployment(context, c.req.valid('param').deployment);
      context.router.forgetRates(deployment.name);
      return c.json(describeDeployment(context, deployment), 200);
    },
  );
}
