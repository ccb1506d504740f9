import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool } from 'undici';

/*
 * The "bare relay" of the limits: node:http in front, undici's `pool.request` behind, a pipe between. It routes,
 * checks and counts nothing. Arguments: its port, the engine's port.
 */

const [port, enginePort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${enginePort}`, { connections: 1_024 });

const hopByHop = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding']);

function withoutHopByHop(headers: NodeJS.Dict<string | string[]>): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !hopByHop.has(name)) kept[name] = value;
  }
  return kept;
}

async function relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const answer = await pool.request({
      method: request.method === 'GET' ? 'GET' : 'POST',
      path: request.url ?? '/',
      headers: withoutHopByHop(request.headers),
      body: request,
      signal: gone.signal,
    });
    response.writeHead(answer.statusCode, withoutHopByHop(answer.headers));
    answer.body.on('error', () => response.destroy());
    answer.body.pipe(response);
  } catch {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  }
}

createServer((request, response) => void relay(request, response)).listen({
  port,
  host: '127.0.0.1',
  backlog: 1_024,
});
process.on('SIGTERM', () => process.exit(0));
