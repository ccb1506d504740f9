import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import type { Handler, MiddlewareHandler } from 'hono';
import { nearestNames } from '../declared/decide/nearest-names.js';
import { ApiError } from './problem.js';

/**
 * Makes every route that is added from now on refuse query parameters that it does not take: a filter with a slip in
 * its name would else answer with everything.
 */
export function refuseUnknownQueries(app: OpenAPIHono): void {
  const add = app.openapi as (route: RouteConfig, handler: Handler, hook?: unknown) => OpenAPIHono;
  const addChecked: typeof add = (route, handler, hook) => {
    const known = namesOf(route.request?.query);
    if (known === null) return add(route, handler, hook);
    const own = route.middleware ?? [];
    const middleware = [checkQuery(known), ...(Array.isArray(own) ? own : [own])];
    return add({ ...route, middleware }, handler, hook);
  };
  app.openapi = addChecked as typeof app.openapi;
}

/** @returns `null` where it cannot be told */
function namesOf(query: unknown): readonly string[] | null {
  if (query === undefined) return [];
  if (typeof query !== 'object' || query === null || !('shape' in query)) return null;
  return Object.keys(query.shape as object);
}

function checkQuery(known: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const unknown = Object.keys(c.req.queries()).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      const [nearest] = nearestNames(unknown, known);
      const taken = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
      const fix = nearest === undefined ? taken : `did you mean ${nearest}?`;
      throw new ApiError('invalid', `query ${unknown}: there is no such parameter here`, fix);
    }
    await next();
  };
}
