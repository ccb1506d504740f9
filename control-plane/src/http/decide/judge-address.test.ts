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
  const judged = judgeAddress({ target, httpVersion, host });
  if (wrong === null) expect(judged).toBeNull();
  else expect(judged).toContain(wrong);
});
