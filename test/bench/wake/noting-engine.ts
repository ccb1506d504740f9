import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const CHUNK = `data: ${JSON.stringify({
  ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' },
  choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
})}\n\ndata: [DONE]\n\n`;

export interface Arrival {
  /** What the request says. */
  readonly says: string;
  /** By `performance.now()`. */
  readonly atMs: number;
}

/** An engine that answers each stream at once, and notes what came when. */
export class NotingEngine {
  readonly arrivals: Arrival[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<NotingEngine> {
    const server = createServer((request, response) => void engine.#answer(request, response));
    const engine = new NotingEngine(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return engine;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  arrivalOf(says: string): Arrival | undefined {
    return this.arrivals.find((arrival) => arrival.says === says);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const atMs = performance.now();
    let text = '';
    for await (const part of request) text += String(part);
    if (request.method !== 'POST') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"list","data":[]}');
      return;
    }
    const { messages } = JSON.parse(text) as { messages: readonly { content: string }[] };
    this.arrivals.push({ says: messages[0]?.content ?? '', atMs });
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(CHUNK);
  }
}
