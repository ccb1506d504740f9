import { expect, test } from 'vitest';
import { judgeAddress } from './judge-address.js';

test.each([
  ['/v1/models', '1.1', 'motoko', null],
  ['/v1/models', '1.0', undefined, null],
  ['*', '1.1', 'motoko', null],
  ['/v1/models', '1.1', undefined, 'Host'],
  ['http://evil/v1/models', '1.1', 'motoko', 'whole URL'],
  ['v1/models', '1.1', 'motoko', 'whole URL'],
])('%s by HTTP/%s of host %s: %s', (target, httpVersion, host, wrong) => {
  const rawHeaders = host === undefined ? ['accept', '*/*'] : ['accept', '*/*', 'Host', host];
  const judged = judgeAddress({ target, httpVersion, host, rawHeaders });
  if (wrong === null) expect(judged).toBeNull();
  else expect(judged).toContain(wrong);
});

test('of two hosts neither is taken', () => {
  const address = { target: '/v1/models', httpVersion: '1.1', host: 'motoko' };
  const rawHeaders = ['Host', 'motoko', 'x-host', 'a', 'hosts', 'b', 'HOST', 'evil'];
  expect(judgeAddress({ ...address, rawHeaders })).toContain('more than one');
  expect(judgeAddress({ ...address, rawHeaders: rawHeaders.slice(0, 6) })).toBeNull();
});
