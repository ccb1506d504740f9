import { expect, test } from 'vitest';
import { explainDialError, explainHttpAnswer } from './explain-dial-error.js';

const where = 'https://motoko:8443';

test.each([
  ['ECONNREFUSED', 'unreachable', 'nothing listens there'],
  ['ENOTFOUND', 'unreachable', 'no such name'],
  ['ETIMEDOUT', 'unreachable', 'no answer in time'],
  ['EPROTO', 'not_a_control_plane', 'plain one (8000)'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'not_a_control_plane', 'TLS 1.3'],
  ['ESOMETHING', 'unreachable', 'the connection failed'],
])('%s is %s and says what it means', (code, failure, words) => {
  const explained = explainDialError(where, code);
  expect(explained.code).toBe(failure);
  expect(explained.detail).toContain(words);
  expect(explained.detail).toContain(where);
  expect(explained.detail).toContain(code);
});

test.each([
  [503, 'no more links'],
  [429, 'no more links'],
  [404, 'no control plane'],
  [301, 'no control plane'],
])('an HTTP %i in place of a link is explained', (status, words) => {
  expect(explainHttpAnswer(where, status)).toMatchObject({
    code: 'not_a_control_plane',
    detail: expect.stringContaining(words),
  });
});
