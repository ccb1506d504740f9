import { expect, test } from 'vitest';
import { readCommandId } from './read-command-id.js';

test('a command of a newer control plane can be refused by its id', () => {
  const frame = {
    id: 's1',
    type: 'command',
    sentAtMs: 1,
    body: { commandId: 'c9', ttlMs: 5, command: { name: 'park' } },
  };
  expect(readCommandId(JSON.stringify(frame))).toBe('c9');
});

test.each([
  '',
  'null',
  '[]',
  '{"type":"ack","body":{"commandId":"c9"}}',
  '{"type":"command"}',
  '{"type":"command","body":{"commandId":""}}',
])('%j has none', (text) => {
  expect(readCommandId(text)).toBeNull();
});
