import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEvent } from './read-event.js';
import { noJsonRest, splitJsonLines } from './split-json-lines.js';

const event = (Action: string, attributes: Record<string, string> = {}, parts: object = {}) => ({
  ...{ Type: 'container', Action, time: 1_795_559_120, timeNano: 1_795_559_120_055_000_000 },
  Actor: {
    ID: 'abc',
    Attributes: { name: 'chat', image: 'x', 'io.ai-fabric.deployment': 'chat', ...attributes },
  },
  ...parts,
});

test.each([
  ['create', 'create'],
  ['start', 'start'],
  ['die', 'die'],
  ['died', 'die'],
  ['destroy', 'remove'],
  ['remove', 'remove'],
  ['oom', 'oom'],
  ['pause', 'pause'],
  ['unpause', 'unpause'],
])('%s is %s', (action, kind) => {
  expect(readEvent(event(action))).toEqual({
    ...{ kind, id: 'abc', name: 'chat', labels: { 'io.ai-fabric.deployment': 'chat' } },
    ...{ atMs: 1_795_559_120_055, exitCode: null },
  });
});

test.each([
  [{ exitCode: '137' }, 137],
  [{ containerExitCode: '1' }, 1],
  [{ exitCode: '0', containerExitCode: '9' }, 0],
  [{ exitCode: 'x' }, null],
  [{}, null],
])('a death with %j has the exit code %s', (attributes, exitCode) => {
  expect(readEvent(event('die', attributes))?.exitCode).toBe(exitCode);
});

test.each([
  ['exec_create: nvidia-smi -L'],
  ['exec_died'],
  ['health_status: healthy'],
  ['init'],
  ['cleanup'],
  ['rename'],
  [''],
])('%s concerns nobody', (action) => {
  expect(readEvent(event(action))).toBeNull();
});

test('an image’s, or a volume’s, concerns nobody', () => {
  expect(readEvent(event('create', {}, { Type: 'volume' }))).toBeNull();
});

test('an older engine’s has its fields elsewhere', () => {
  expect(readEvent({ status: 'start', id: 'abc', from: 'x', time: 7 })).toMatchObject({
    kind: 'start',
    id: 'abc',
    atMs: 7_000,
  });
});

test('anything else is none', () => {
  fc.assert(fc.property(fc.jsonValue(), (line) => void readEvent(line)));
});

test('JSON lines are the same however they were cut, and noise between them is left out', () => {
  const values = fc.array(fc.record({ a: fc.string(), n: fc.integer() }), { maxLength: 8 });
  fc.assert(
    fc.property(values, fc.array(fc.nat(400), { maxLength: 12 }), (written, cuts) => {
      const text = written.map((value) => `${JSON.stringify(value)}\r\n\nnoise\n`).join('');
      const places = [
        0,
        ...cuts.map((cut) => cut % (text.length + 1)).sort((one, other) => one - other),
        text.length,
      ];
      let rest = noJsonRest;
      const read: unknown[] = [];
      for (let at = 1; at < places.length; at += 1) {
        const split = splitJsonLines(rest, text.slice(places[at - 1], places[at]));
        rest = split.rest;
        read.push(...split.values);
      }
      expect(read).toEqual(written);
    }),
  );
});

test('an endless line is thrown away, and the next one read', () => {
  let rest = noJsonRest;
  for (let at = 0; at < 20; at += 1) rest = splitJsonLines(rest, 'x'.repeat(100_000)).rest;
  expect(rest.text.length).toBeLessThanOrEqual(256 * 1024);
  expect(splitJsonLines(rest, 'xx\n{"a":1}\n').values).toEqual([{ a: 1 }]);
});
