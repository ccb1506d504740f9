import { expect, test } from 'vitest';
import { judgeFraming } from './judge-framing.js';

test.each([
  [undefined, '1.1', null],
  [undefined, '1.0', null],
  ['chunked', '1.1', null],
  ['Chunked ', '1.1', null],
  ['gzip, chunked', '1.1', '"gzip, chunked"'],
  ['xchunked', '1.1', '"xchunked"'],
  ['chunked', '1.0', 'HTTP/1.0'],
])('transfer-encoding %s by HTTP/%s: %s', (encoding, httpVersion, wrong) => {
  const judged = judgeFraming(encoding, httpVersion);
  if (wrong === null) expect(judged).toBeNull();
  else expect(judged).toContain(wrong);
});
