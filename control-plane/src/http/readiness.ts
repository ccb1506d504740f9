import type { ServerResponse } from 'node:http';

/** Why the control plane cannot serve yet; empty when it can. */
export type NotReady = readonly string[];

/** `/healthz`: the process answers. `/readyz`: it can route requests. */
export function answerHealth(path: string, response: ServerResponse, notReady: NotReady): void {
  const ready = path !== '/readyz' || notReady.length === 0;
  const body = JSON.stringify(ready ? { status: 'ok' } : { status: 'not_ready', reasons: notReady });
  response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(body);
}
