import { Agent, request } from 'node:http';

export interface Asked {
  readonly port: number;
  readonly model: string;
  /** Told to the engine, so that its notes tell whose request came when. */
  readonly says: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** A connection for each: who is held keeps its own. */
const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
const DEADLINE_MS = 120_000;

/** A streamed chat request, to the end of its answer. Rejects where there is none. */
export function ask({ port, model, says, headers = {} }: Asked): Promise<Answered> {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: says }] });
  return new Promise((resolve, reject) => {
    const call = request(
      {
        ...{ host: '127.0.0.1', port, path: '/v1/chat/completions', method: 'POST', agent },
        headers: { 'content-type': 'application/json', ...headers },
        timeout: DEADLINE_MS,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no byte for ${DEADLINE_MS} ms`)));
    call.on('error', reject);
    call.end(body);
  });
}
