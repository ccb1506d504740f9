import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type EngineReading, emptyEngineReading, systemClock } from '@ai-fabric/shared';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClosableSensor } from '../sensor.js';
import { MAX_METRICS_LENGTH } from './decide/parse-engine-metrics.js';
import { engineReadingSensor } from './engine-reading.js';

const NEVER = new AbortController().signal;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function engine(answer: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function sensorOf(url: string, deadlineMs = 5_000): ClosableSensor<EngineReading> {
  const sensor = engineReadingSensor({ deployment: 'chat', url, clock: systemClock(), deadlineMs });
  cleanups.push(() => sensor.close());
  return sensor;
}

const fails = (detail: RegExp) => ({
  ok: false,
  issue: { code: 'engine_unreachable', subject: 'chat', detail: expect.stringMatching(detail) },
});

describe('the reading of an engine', () => {
  it('is its metrics, over one connection, with or without "/v1" in the url', async () => {
    let connections = 0;
    const paths: (string | undefined)[] = [];
    const { server, url } = await engine((request, response) => {
      paths.push(request.url);
      response.end('vllm:num_requests_running{engine="0"} 3\n');
    });
    server.on('connection', () => {
      connections += 1;
    });
    const sensor = sensorOf(`${url}/v1`);
    for (let time = 0; time < 3; time += 1) {
      expect(await sensor.read(NEVER)).toEqual({
        ok: true,
        reading: { ...emptyEngineReading, running: 3 },
        issues: [],
      });
    }
    expect(paths).toEqual(['/metrics', '/metrics', '/metrics']);
    expect(connections).toBe(1);
  });

  it.each([
    [404, 'Not Found'],
    [200, '<html><body>It works!</body></html>'],
    [200, ''],
  ])('is all unknown for an engine without metrics: %d %j', async (status, body) => {
    const { url } = await engine((_, response) => {
      response.writeHead(status).end(body);
    });
    expect(await sensorOf(url).read(NEVER)).toEqual({ ok: true, reading: emptyEngineReading, issues: [] });
  });

  it('asks once for two readers at the same time', async () => {
    let asked = 0;
    const { url } = await engine((_, response) => {
      asked += 1;
      response.end('');
    });
    const sensor = sensorOf(url);
    await Promise.all([sensor.read(NEVER), sensor.read(NEVER)]);
    expect(asked).toBe(1);
  });
});

describe('an engine that cannot be read', () => {
  it('refuses connections', async () => {
    const { server, url } = await engine(() => undefined);
    server.close();
    expect(await sensorOf(url).read(NEVER)).toMatchObject(fails(/refuses connections/));
  });

  it('answers an error', async () => {
    const { url } = await engine((_, response) => {
      response.writeHead(503).end('no');
    });
    expect(await sensorOf(url).read(NEVER)).toMatchObject(fails(/answers 503/));
  });

  it('redirects: nobody follows', async () => {
    const { url: elsewhere } = await engine((_, response) => {
      response.end('vllm:num_requests_running 9\n');
    });
    const { url } = await engine((_, response) => {
      response.writeHead(302, { location: `${elsewhere}/metrics` }).end();
    });
    expect(await sensorOf(url).read(NEVER)).toMatchObject(fails(/redirect, which is not followed/));
  });

  it('never answers', async () => {
    const { url } = await engine(() => undefined);
    expect(await sensorOf(url, 200).read(NEVER)).toMatchObject(fails(/no whole answer within 0\.2 s/));
  });

  it('begins an answer and never ends it', async () => {
    const { url } = await engine((_, response) => {
      response.write('vllm:num_requests_running 3\n');
    });
    expect(await sensorOf(url, 300).read(NEVER)).toMatchObject(fails(/no whole answer within 0\.3 s/));
  });

  it('hangs up in mid-answer', async () => {
    const { url } = await engine((_, response) => {
      response.write('vllm:num_requests_running 3\n', () => response.destroy());
    });
    expect(await sensorOf(url).read(NEVER)).toMatchObject(fails(/cannot be read/));
  });

  it('answers without end', async () => {
    const { url } = await engine((_, response) => {
      const piece = `${'#'.repeat(65_535)}\n`;
      const more = (): void => {
        while (response.write(piece));
        response.once('drain', more);
      };
      more();
    });
    expect(await sensorOf(url, 20_000).read(NEVER)).toMatchObject(
      fails(new RegExp(`more than ${MAX_METRICS_LENGTH} bytes`)),
    );
  });

  it('speaks something else than HTTP', async () => {
    const { server, url } = await engine(() => undefined);
    server.on('connection', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(await sensorOf(url).read(NEVER)).toMatchObject(fails(/cannot be read/));
  });

  it('has a url that is none, and one with a password that is kept out of the issue', async () => {
    expect(await sensorOf('nonsense').read(NEVER)).toMatchObject(fails(/no valid URL/));
    const { server, url } = await engine(() => undefined);
    server.close();
    const result = await sensorOf(url.replace('//', '//user:secret@')).read(NEVER);
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it('is given up by its reader, and by the close', async () => {
    const { url } = await engine(() => undefined);
    const sensor = sensorOf(url, 60_000);
    expect(await sensor.read(AbortSignal.timeout(50))).toMatchObject({ ok: false });
    const pending = sensor.read(NEVER);
    await sensor.close();
    expect(await pending).toMatchObject({ ok: false });
    expect(await sensor.read(NEVER)).toMatchObject({ ok: false });
  });

  it('is read again once it answers', async () => {
    let broken = true;
    const { url } = await engine((_, response) => {
      if (broken) response.destroy();
      else response.end('vllm:num_requests_running 1\n');
    });
    const sensor = sensorOf(url);
    expect(await sensor.read(NEVER)).toMatchObject({ ok: false });
    broken = false;
    expect(await sensor.read(NEVER)).toMatchObject({ ok: true, reading: { running: 1 } });
  });
});
