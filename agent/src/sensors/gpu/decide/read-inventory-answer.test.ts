import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readInventoryAnswer } from './read-inventory-answer.js';

const GPU = {
  uuid: 'GPU-1',
  index: 0,
  name: 'NVIDIA T4',
  pciBusId: null,
  vramTotalBytes: 1,
  powerLimitWatts: null,
  driverVersion: '535.98',
  cudaVersion: null,
  migEnabled: null,
};

describe('what the inventory child says', () => {
  it.each([
    { ok: true, gpus: [GPU], skipped: 0 },
    { ok: true, gpus: [], skipped: 1 },
    { ok: false, exitCode: 9, output: 'driver not loaded' },
    { ok: false, exitCode: null, output: '' },
  ])('is taken: %j', (answer) => {
    expect(readInventoryAnswer(`${JSON.stringify(answer)}\n`)).toEqual(answer);
  });

  it.each([
    '',
    'null',
    '{}',
    '{"ok":true}',
    '{"ok":true,"gpus":[{"uuid":""}],"skipped":0}',
    '{"ok":true,"gpus":[',
    `{"ok":true,"skipped":0,"gpus":[${Array(33).fill(JSON.stringify(GPU)).join(',')}]}`,
  ])('is refused when it is anything else: %j', (text) => {
    expect(readInventoryAnswer(text)).toBeNull();
  });

  it('never makes it throw', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void readInventoryAnswer(text)));
  });
});
