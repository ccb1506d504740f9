import { expect, test } from 'vitest';
import { Closers } from './closers.js';

test('what was opened last is closed first, once, and a failure keeps nothing open', async () => {
  const closed: string[] = [];
  const closers = new Closers();
  closers.add(() => void closed.push('first'));
  closers.add(() => {
    closed.push('second');
    throw new Error('stuck');
  });
  closers.add(async () => void closed.push('third'));
  const [one, other] = [closers.close(), closers.close()];
  await expect(one).rejects.toThrow('did not close cleanly');
  await expect(other).rejects.toThrow('did not close cleanly');
  expect(closed).toEqual(['third', 'second', 'first']);
});
