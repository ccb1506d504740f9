import type { ServerResponse } from 'node:http';
import type { Router } from '../router/route-types.js';
import { answerError, answerJson, ownFacts } from './answer-now.js';
import { modelNotFound } from './decide/model-not-found.js';
import { presentModel, presentModels } from './decide/present-models.js';
import type { RequestContext } from './request-context.js';

/** `GET /v1/models`: every declared name with its live state, served or not at the moment. */
export function answerModels(
  response: ServerResponse,
  context: RequestContext,
  router: Router,
  createdSeconds: number,
): void {
  const json = presentModels(router.listModels(), createdSeconds);
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
  const model = router.listModels().find((listed) => listed.id === id);
  if (model === undefined) {
    answerError(response, modelNotFound(id, router.nearestNames(id)), ownFacts(context, 'model_not_found'));
    return;
  }
  answerJson(response, 200, JSON.stringify(presentModel(model, createdSeconds)), ownFacts(context, 'models'));
}
