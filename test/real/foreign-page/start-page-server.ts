import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

const page = readFileSync(new URL('./attacks.html', import.meta.url), 'utf8');

export interface PageServer {
  readonly port: number;
  /** Bodies and paths of what others than a page's loading asked of it: `POST /v1/chat/completions {…}`. */
  readonly taken: readonly string[];
  close(): Promise<void>;
}

/**
 * Serves the page of attacks at `/`, and at `/sandboxed` in an origin of no name. Anything else it takes as a server
 * does that trusts whoever comes over loopback: with 200, with a WebSocket, and into its record. An attack that does
 * not land here would prove nothing where it fails.
 */
export async function startPageServer(): Promise<PageServer> {
  const taken: string[] = [];
  const server = createServer((request, response) => void answer(request, response, taken));
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    taken.push(`WebSocket ${request.url}`);
    sockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => webSocket.on('error', () => {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    close: () => close(server, sockets),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, taken: string[]): Promise<void> {
  if (request.url === '/' || request.url === '/sandboxed') {
    const sandbox = { 'content-security-policy': 'sandbox allow-scripts allow-forms' };
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      ...(request.url === '/sandboxed' ? sandbox : {}),
    });
    response.end(page);
    return;
  }
  let body = '';
  for await (const part of request) body += String(part);
  taken.push(`${request.method} ${request.url} ${body}`.trim());
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end('{}');
}

async function close(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const client of sockets.clients) client.terminate();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
