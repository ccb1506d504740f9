import { expect, test } from 'vitest';
import { type DemoEvent, describeEvent } from './describe-event.js';
import { takeTour } from './take-tour.js';

const steps = [
  { title: 'a request is answered', run: () => Promise.resolve('by armitage') },
  { title: 'the cloud is asked', run: () => Promise.reject(new Error('nobody answered')) },
  { title: 'it goes on', run: (name: string) => Promise.resolve(`on ${name}`) },
];

test('the tour tells every step as data, goes on after one that failed, and says whether all held', async () => {
  const told: DemoEvent[] = [];
  expect(await takeTour(steps, 'motoko', (event) => told.push(event))).toBe(false);
  expect(told).toEqual([
    { kind: 'tour_began' },
    { kind: 'step', number: 1, title: 'a request is answered', held: true, detail: 'by armitage' },
    { kind: 'step', number: 2, title: 'the cloud is asked', held: false, detail: 'nobody answered' },
    { kind: 'step', number: 3, title: 'it goes on', held: true, detail: 'on motoko' },
    { kind: 'tour_ended', held: 2, steps: 3, allHeld: false },
  ]);
  expect(told.map(describeEvent).join('\n')).toContain('✗ 2. the cloud is asked\n       nobody answered');
});
