import { expect, it } from 'vitest';
import { nameKeyFlags } from './name-key-flags.js';

it.each([
  ['expiresAtMs: expected a time to come', '--expires: expected a time to come'],
  [
    'body limits.tokensPerMinute: expected at most 1000000000, found 9999999999; body keepBodiesDays: expected 1',
    '--tokens-per-minute: expected at most 1000000000, found 9999999999; --keep-bodies: expected 1',
  ],
  ['body roles.0: expected text', '--roles: expected text'],
  ['body mostUrgentClass: expected one of', '--most-urgent: expected one of'],
  ['roles: "x" is no declared role, alias or model', '--roles: "x" is no declared role, alias or model'],
  // A name that somebody chose is no field.
  ['there is no key "roles: x"', 'there is no key "roles: x"'],
  ['body name: expected text', 'body name: expected text'],
])('%j is told as %j', (message, told) => {
  expect(nameKeyFlags(message)).toBe(told);
});
