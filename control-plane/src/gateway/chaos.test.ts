import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { openFilesIn } from './testing/open-files.js';
import { TestGateway, until } from './testing/test-gateway.js';

const EVENT = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n';
/** Too large to be held in memory. */
const LARGE = 'x'.repeat(1_500_000);
const JSON_ANSWER = '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}';

/** What an engine may do with a request, the good and the bad. */
const DEEDS: ((response: ServerResponse, later: (run: () => void) => void) => void)[] = [
  (response) => response.setHeader('content-type', 'application/json').end(JSON_ANSWER),
  (response) =>
    response.setHeader('content-type', 'text/event-stream').end(`${EVENT}${EVENT}data: [DONE]\n\n`),
  (response) => response.writeHead(503).end(),
  (response) => response.writeHead(500).end('{}'),
  (response) => response.writeHead(302, { location: '/' }).end(),
  (response) => response.destroy(),
  (response, later) => {
    response.setHeader('content-type', 'text/event-stream').write(EVENT.slice(0, 9));
    later(() => response.destroy());
  },
  (response, later) => {
    response.setHeader('content-type', 'text/event-stream').write(EVENT);
    later(() => response.destroy());
  },
  (response, later) => {
    response.setHeader('content-type', 'text/event-stream').write(EVENT);
    later(() => response.end());
  },
  (response, later) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' }).write('{"a":');
    later(() => response.destroy());
  },
  (_response, later) => later(() => undefined),
];

describe('whatever engines and clients do', () => {
  let router: FakeRouter;
  let test: TestGateway;
  let spoolDirectory: string;
  beforeEach(async () => {
    router = new FakeRouter({ firstByteTimeoutSeconds: 0.3, idleTimeoutSeconds: 0.3 });
    spoolDirectory = mkdtempSync(join(tmpdir(), 'ai-fabric-chaos-'));
    test = await new TestGateway(router, {
      spoolDirectory,
      config: { maxBodyBytes: 8 * 1024 * 1024 },
    }).start();
  });
  afterEach(async () => {
    await test.close();
    rmSync(spoolDirectory, { recursive: true, force: true });
  });

  /** Bodies on the disk that somebody still holds open. */
  const openBodies = (): number =>
    process.platform === 'linux' ? openFilesIn(spoolDirectory) : readdirSync(spoolDirectory).length;

  it('every claim is released once, and no request stays open', async () => {
    let deeds = 0;
    const timers = new Set<NodeJS.Timeout>();
    for (let index = 0; index < 3; index++) {
      router.addDeployment(
        await test.engine((_request, response) => {
          deeds++;
          const deed = DEEDS[(deeds * 7 + index) % DEEDS.length];
          deed?.(response, (run) => timers.add(setTimeout(run, deeds % 30)));
        }),
      );
    }
    const statuses = new Set<number>();
    const ask = async (index: number): Promise<void> => {
      const controller = new AbortController();
      const user = index % 8 === 1 || index % 8 === 4 ? LARGE : '';
      const body = JSON.stringify({ user, model: 'chat-fast', stream: index % 2 === 0, messages: [] });
      const url = `${test.url}/v1/chat/completions`;
      if (index % 3 === 0) timers.add(setTimeout(() => controller.abort(), (index * 13) % 90));
      try {
        const response = await fetch(url, { method: 'POST', body, signal: controller.signal });
        statuses.add(response.status);
        await response.text();
      } catch {
        // Hung up by this test.
      }
    };
    await Promise.all(Array.from({ length: 240 }, (_, index) => ask(index)));

    await until(() => test.gateway.openRequests === 0, 'every request is over');
    for (const timer of timers) clearTimeout(timer);
    expect(router.inflight).toBe(0);
    expect(router.releases).toBe(router.outcomes.length);
    expect(test.metrics.openRequests).toBe(0);
    expect(statuses.has(200)).toBe(true);
    await until(() => openBodies() === 0, 'no body is left on the disk');
    for (const line of test.logLines) expect(line).not.toContain('defect');
  }, 60_000);
});
