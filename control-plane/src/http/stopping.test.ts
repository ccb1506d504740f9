import { expect, it } from 'vitest';
import { until } from '../gateway/testing/test-gateway.js';
import { FrontDoor, RawClient } from './testing/front-door.js';

const ASK = 'GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n';

it('once it accepts no more, a listener ends idle connections, and others with their next answer', async () => {
  const answers: (() => void)[] = [];
  const door = await FrontDoor.open((_request, response) => void answers.push(() => response.end('{}')));
  const idle = new RawClient(door.port, ASK);
  await until(() => answers.length === 1, 'it is asked');
  answers[0]?.();
  await until(() => idle.statuses.length === 1, 'it is answered');
  const busy = new RawClient(door.port, ASK);
  await until(() => answers.length === 2, 'it is asked');

  door.listeners.stopAccepting();

  await until(() => idle.isEnded, 'the idle one is ended');
  busy.send(ASK);
  await until(() => answers.length === 3, 'what comes on an open connection is served');
  answers[1]?.();
  answers[2]?.();
  await until(() => busy.isEnded, 'then its connection ends');
  expect(busy.statuses).toEqual([200, 200]);
  expect(busy.text.slice(busy.text.lastIndexOf('HTTP/1.1'))).toMatch(/^connection: close\r$/im);
  const late = new RawClient(door.port, ASK);
  await until(() => late.isEnded, 'nobody new is let in');
  expect(late.text).toBe('');
  await door.close();
});
