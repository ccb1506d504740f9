import { createServer, type Socket } from 'node:net';
import { answerParent } from '../../machine/answer-parent.js';
import { CHAT_ANSWER, FIRST_CHUNK, LAST_CHUNKS, MODELS_ANSWER, TOKEN_CHUNK } from '../sample-bodies.js';
import { type LeanRequest, readRequest } from './read-request.js';

/*
 * An engine that costs next to nothing, so that what is measured in front of it is what limits: ready-made answers
 * straight on sockets. It shares its core with the load. Arguments: the ports to listen on, each an engine of its own.
 */

const TOKEN_MS = 20;
const TOKENS = 600;

const chatAnswer = whole('application/json', CHAT_ANSWER);
const modelsAnswer = whole('application/json', MODELS_ANSWER);
const notFound = Buffer.from('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
const streamHead = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n' +
    httpChunk(FIRST_CHUNK),
);
const tokenChunk = Buffer.from(httpChunk(TOKEN_CHUNK));
const streamEnd = Buffer.from(`${httpChunk(LAST_CHUNKS)}0\r\n\r\n`);

function whole(type: string, body: string): Buffer {
  const length = Buffer.byteLength(body);
  return Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n${body}`);
}

function httpChunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** One listening port, with the gauge that an agent reads of it. */
class LeanEngine {
  #running = 0;

  listen(port: number): void {
    createServer({ noDelay: true }, (socket) => this.#serve(socket)).listen({
      port,
      host: '127.0.0.1',
      backlog: 1_024,
    });
  }

  #serve(socket: Socket): void {
    let pending: Buffer | null = null;
    socket.on('error', () => socket.destroy());
    socket.on('data', (data: Buffer) => {
      let buffer = pending === null ? data : Buffer.concat([pending, data]);
      for (let request = readRequest(buffer); request; request = readRequest(buffer)) {
        this.#answer(socket, request);
        buffer = buffer.subarray(request.lengthBytes);
      }
      pending = buffer.length === 0 ? null : buffer;
    });
  }

  #answer(socket: Socket, request: LeanRequest): void {
    if (request.stream) this.#stream(socket);
    else if (!request.get) socket.write(chatAnswer);
    else if (request.path === '/v1/models') socket.write(modelsAnswer);
    else if (request.path === '/metrics') socket.write(whole('text/plain; version=0.0.4', this.#metrics()));
    else if (request.path === '/health') socket.write(whole('text/plain', ''));
    else socket.write(notFound);
  }

  #stream(socket: Socket): void {
    let left = TOKENS;
    this.#running += 1;
    socket.write(streamHead);
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) socket.write(tokenChunk);
      else end();
    }, TOKEN_MS);
    const end = (): void => {
      clearInterval(timer);
      socket.off('close', end);
      this.#running -= 1;
      if (socket.writable) socket.write(streamEnd);
    };
    socket.on('close', end);
  }

  #metrics(): string {
    const labels = `{engine="0",model_name="bench-model"}`;
    return [
      '# TYPE vllm:num_requests_running gauge',
      `vllm:num_requests_running${labels} ${this.#running}`,
      '# TYPE vllm:num_requests_waiting gauge',
      `vllm:num_requests_waiting${labels} 0`,
      '# TYPE vllm:kv_cache_usage_perc gauge',
      `vllm:kv_cache_usage_perc${labels} 0.1`,
      '',
    ].join('\n');
  }
}

for (const port of process.argv.slice(2)) new LeanEngine().listen(Number(port));
answerParent(() => ({}));
