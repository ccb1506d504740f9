import type { RouteRequest } from '../route-types.js';

/** Whether an engine reads the prompt and writes to it token by token. Who counts tokens asks no card at all. */
export function writesAnswer({ task, endpoint }: Pick<RouteRequest, 'task' | 'endpoint'>): boolean {
  return task === 'chat' && endpoint !== 'count_tokens';
}
