import { type EngineExchange, isTrue } from './exchange.js';
import { EngineRefusal } from './options.js';
import type { WrittenLine } from './simulated-container.js';

/** Docker's frame of a log: stream, three zeros, length, bytes. */
export function frame(stream: 'stdout' | 'stderr', bytes: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream === 'stderr' ? 2 : 1;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

export function answerLogs(exchange: EngineExchange): void {
  const { engine, query, response, caught } = exchange;
  const container = engine.get(caught[0] ?? '');
  const { tty } = container.wish;
  const sinceMs = Number(query.get('since') ?? 0) * 1000;
  const write = ({ stream, bytes, atMs }: WrittenLine): void => {
    const time = isTrue(query, 'timestamps')
      ? Buffer.from(`${new Date(atMs).toISOString()} `)
      : Buffer.alloc(0);
    const whole = Buffer.concat([time, bytes]);
    response.write(tty ? whole : frame(stream, whole));
  };
  response.writeHead(200, { 'content-type': `application/vnd.docker.${tty ? 'raw' : 'multiplexed'}-stream` });
  response.flushHeaders();
  const kept = container.written.filter(({ atMs }) => atMs >= sinceMs);
  const tail = query.get('tail') ?? 'all';
  for (const line of tail === 'all' ? kept : kept.slice(kept.length - Math.min(Number(tail), kept.length)))
    write(line);
  if (!isTrue(query, 'follow') || !container.running) return void response.end();
  response.once(
    'close',
    container.follow((line) => (line === null ? response.end() : write(line))),
  );
}

export function answerEvents({ engine, query, response }: EngineExchange): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const since = query.get('since');
  const types = (JSON.parse(query.get('filters') ?? '{}') as { type?: string[] }).type ?? [
    'container',
    'volume',
    'image',
  ];
  const stop = engine.events.listen(since === null ? null : Number(since), (event) => {
    if (types.includes(event.Type)) response.write(`${JSON.stringify(event)}\n`);
  });
  response.once('close', stop);
}

export async function answerPull(exchange: EngineExchange): Promise<void> {
  const { engine, query, request, response } = exchange;
  const tag = query.get('tag');
  const reference = `${query.get('fromImage') ?? ''}${tag ? `:${tag}` : ''}`;
  const header = request.headers['x-registry-auth'];
  const auth = typeof header === 'string' ? Buffer.from(header, 'base64url').toString() : null;
  // Go's decoder of base64 takes none without its padding.
  if (typeof header === 'string' && header.length % 4 !== 0)
    throw new EngineRefusal(400, 'illegal base64 data');
  response.writeHead(200, { 'content-type': 'application/json' });
  await engine.images.pull(reference, auth, (message) => {
    if (response.destroyed) return false;
    response.write(`${JSON.stringify(message)}\r\n`);
    return true;
  });
  response.end();
}
