import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { TestGateway, until } from './testing/test-gateway.js';

const EVENT = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n';
const BODY = JSON.stringify({ model: 'chat-fast', stream: true, messages: [] });
const REQUEST = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
/** More than Node takes for a leak of listeners. */
const PIPELINED = 12;

describe('requests that are pipelined on one connection', () => {
  let router: FakeRouter;
  let test: TestGateway;
  let client: Socket;
  beforeEach(async () => {
    router = new FakeRouter();
    test = await new TestGateway(router).start();
    client = connect(test.port, '127.0.0.1').on('error', () => undefined);
  });
  afterEach(async () => {
    client.destroy();
    await test.close();
  });

  it('all free their slots when the client hangs up, those too whose answer was not begun', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(EVENT);
      }),
    );
    const warnings: string[] = [];
    const warned = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', warned);
    client.write(REQUEST.repeat(PIPELINED));
    await until(() => router.inflight === PIPELINED, 'all are asked');

    client.destroy();

    await until(() => router.inflight === 0, 'the slots are free');
    await until(() => test.gateway.openRequests === 0, 'no request is open');
    expect(router.releases).toBe(PIPELINED);
    expect(test.metrics.openRequests).toBe(0);
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  it('are answered in their order, and leave nothing behind on the connection', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').end(`${EVENT}data: [DONE]\n\n`);
      }),
    );
    let text = '';
    client.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    client.write(REQUEST.repeat(PIPELINED));
    await until(() => text.split('[DONE]').length === PIPELINED + 1, 'all are answered');
    await until(() => test.gateway.openRequests === 0, 'no request is open');
    expect(router.releases).toBe(PIPELINED);
    expect([...test.metrics.routes][0]?.requests.ok).toBe(PIPELINED);
  });
});
