import { expect, test } from 'vitest';
import { type StatusSource, showStatus } from './show-status.js';

type Poll = readonly string[] | Error;

/** Polls in turn; the demo is told to end behind the last. */
async function shown(polls: readonly Poll[], endsAt: number | null = null): Promise<string[]> {
  const drawn: string[] = [];
  let polled = 0;
  const source: StatusSource = {
    readScreen: () => {
      const poll = polls[polled] ?? [];
      polled += 1;
      return poll instanceof Error ? Promise.reject(poll) : Promise.resolve(poll);
    },
    endOfControlPlane: () => (endsAt !== null && polled >= endsAt ? 'disk full' : null),
  };
  await showStatus(source, {
    draw: (lines) => void drawn.push(lines.join('\n')),
    pause: () => Promise.resolve(),
    ended: () =>
      polled > polls.length || (endsAt === null && polled === polls.length && drawn.length >= polled),
  });
  return drawn;
}

test('the live screen outlives a poll that fails, keeps what it showed and says so', async () => {
  const drawn = await shown([['one'], new Error('fetch failed'), ['two']]);
  expect(drawn).toEqual(['one', 'one\n\n(no answer just now, asking again: fetch failed)', 'two']);
});

test('the live screen may fail before it ever showed anything', async () => {
  const drawn = await shown([new Error('timeout'), ['one']]);
  expect(drawn.at(-1)).toBe('one');
});

test('the live screen tells that the control plane has ended, with the end of its log', async () => {
  await expect(shown([['one'], new Error('fetch failed')], 2)).rejects.toThrow(
    'The control plane ended by itself:\ndisk full',
  );
});
