import type { ServerResponse } from 'node:http';
import type { ListedModel, Router } from '../router/route-types.js';
import { answerError, answerJson, ownFacts } from './answer-now.js';
import { mayAskFor } from './decide/may-ask-for.js';
import { modelNotFound } from './decide/model-not-found.js';
import { presentModel, presentModels } from './decide/present-models.js';
import { nearestAllowed } from './prepare-request.js';
import type { GatewayKey, RequestContext } from './request-context.js';

/** `GET /v1/models`: every declared name that the key may ask for, with its live state, served or not at the moment. */
export function answerModels(
  response: ServerResponse,
  context: RequestContext,
  router: Router,
  createdSeconds: number,
): void {
  const json = presentModels(listAllowed(context.key, router), createdSeconds);
  answerJson(response, 200, json, ownFacts(context, 'models'));
}

/** `GET /v1/models/{id}` */
export function answerModel(
  response: ServerResponse,
  context: RequestContext,
  router: Router,
  id: string,
  createdSeconds: number,
): void {
  const model = listAllowed(context.key, router).find((listed) => listed.id === id);
  if (model === undefined) {
    const nearest = nearestAllowed(id, context.key, router);
    answerError(
      response,
      modelNotFound(id, nearest, context.key.roles !== null),
      ownFacts(context, 'model_not_found'),
    );
    return;
  }
  answerJson(response, 200, JSON.stringify(presentModel(model, createdSeconds)), ownFacts(context, 'models'));
}

function listAllowed(key: GatewayKey, router: Router): readonly ListedModel[] {
  if (key.roles === null) return router.listModels();
  return router.listModels().filter(({ id }) => {
    const resolved = router.resolve(id);
    return resolved !== undefined && mayAskFor(key, id, resolved);
  });
}
