import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const reasons = {
  400: { phrase: 'Bad Request', code: 'invalid', title: 'The request is not valid' },
  401: { phrase: 'Unauthorized', code: 'unauthorised', title: 'The admin token is missing or wrong' },
  403: { phrase: 'Forbidden', code: 'forbidden', title: 'Not allowed' },
  404: { phrase: 'Not Found', code: 'not_found', title: 'There is no such thing' },
  426: { phrase: 'Upgrade Required', code: 'upgrade_required', title: 'This path speaks WebSocket' },
  503: {
    phrase: 'Service Unavailable',
    code: 'unavailable',
    title: 'No more connections are taken now',
  },
} as const;

export type RefusalStatus = keyof typeof reasons;

/** Ends a WebSocket handshake with a problem in its place. */
export function refuseUpgrade(
  socket: Duplex,
  status: RefusalStatus,
  detail: string,
  fix: string | null = null,
): void {
  const body = problemText(status, detail, fix);
  const retry = status === 503 ? 'retry-after: 5\r\n' : '';
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status].phrase}\r\ncontent-type: application/problem+json\r\n${retry}` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

/** The same to a plain request, where the control API is not reached. */
export function answerRefusal(
  response: ServerResponse,
  status: RefusalStatus,
  detail: string,
  fix: string | null,
): void {
  const upgrade: Record<string, string> = status === 426 ? { upgrade: 'websocket' } : {};
  response.writeHead(status, { ...upgrade, 'content-type': 'application/problem+json' });
  response.end(problemText(status, detail, fix));
}

/** As the control API's problems are, whose libraries are not loaded for it. */
function problemText(status: RefusalStatus, detail: string, fix: string | null): string {
  const { code, title } = reasons[status];
  // In the form that ids of other requests have.
  const instance = `urn:ai-fabric:request:req-${randomBytes(4).toString('hex')}-1`;
  return JSON.stringify({
    type: `urn:ai-fabric:problem:${code}`,
    title,
    status,
    code,
    detail,
    fix,
    instance,
  });
}
