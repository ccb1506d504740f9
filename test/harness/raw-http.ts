import { once } from 'node:events';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface RawRequest {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: unknown;
}

/** A request with any header at all, `Host` and `Origin` too, which `fetch` would not send. */
export async function rawHttp(
  url: string,
  { method = 'POST', headers = {}, body }: RawRequest,
): Promise<RawAnswer> {
  const sent = request(url, { method, headers: { 'content-type': 'application/json', ...headers } });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = await once(sent, 'response');
  let text = '';
  answer.setEncoding('utf8');
  for await (const part of answer) text += part;
  return { status: answer.statusCode, headers: answer.headers, text };
}

/** The `error` of OpenAI's envelope. @throws SyntaxError where the answer is no JSON */
export function errorOf(text: string): {
  code: string | null;
  message: string;
  type: string;
  param: string | null;
} {
  return (JSON.parse(text) as { error: ReturnType<typeof errorOf> }).error;
}
