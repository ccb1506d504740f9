import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseSmiMask,
  parseSmiNumber,
  parseSmiQuantity,
  parseSmiText,
  parseSmiVersion,
  saysCardLost,
} from './parse-smi-value.js';

const SENTINELS = [
  '',
  ' ',
  'N/A',
  '[N/A]',
  '[Not Supported]',
  'Not Supported',
  '[Requested functionality has been deprecated]',
  'Requested functionality has been deprecated',
  '[Function Not Found]',
  '[Insufficient Permissions]',
  'Insufficient Permissions',
  '[Unknown Error]',
  'Unknown Error',
  '[GPU is lost]',
  'GPU is lost',
  '[GPU requires reset]',
  'ERR!',
  'None',
];

describe('values that are not values', () => {
  it.each(SENTINELS)('takes %j for no number, no word, no version and no mask', (text) => {
    expect(parseSmiNumber(text)).toBeNull();
    expect(parseSmiQuantity(text, 0, 100, 1)).toBeNull();
    expect(parseSmiText(text, 80)).toBeNull();
    expect(parseSmiVersion(text)).toBeNull();
    expect(parseSmiMask(text)).toBeNull();
  });

  it.each(['nan', 'inf', '1e9', '0x10', '1,5', '--1', '12 apples', '12 MiB 3'])(
    'takes %j for no number',
    (text) => {
      expect(parseSmiNumber(text)).toBeNull();
    },
  );

  it('reads any text without throwing, and never makes up a number', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const parsed of [parseSmiNumber(text), parseSmiQuantity(text, 0, 10, 1), parseSmiMask(text)]) {
          expect(parsed === null || Number.isFinite(parsed)).toBe(true);
        }
        parseSmiText(text, 8);
        parseSmiVersion(text);
        saysCardLost(text);
      }),
    );
  });
});

describe('numbers', () => {
  it.each([
    ['0', 0],
    [' 42', 42],
    ['38.92', 38.92],
    ['38.92 W', 38.92],
    ['8192 MiB', 8192],
    ['7 %', 7],
    ['300 MHz', 300],
    ['40 C', 40],
    ['-5', -5],
  ])('reads %j as %d, with its unit or without', (text, value) => {
    expect(parseSmiNumber(text)).toBe(value);
  });

  it('refuses what no card can have, such as an all-ones reading', () => {
    expect(parseSmiQuantity('4294967295', 0, 20_000, 1)).toBeNull();
    expect(parseSmiQuantity('-1', 0, 100, 1)).toBeNull();
    expect(parseSmiQuantity('100', 0, 100, 1)).toBe(100);
  });
});

describe('words, versions and masks', () => {
  it('keeps a word and cuts it to size', () => {
    expect(parseSmiText(' P8 ', 8)).toBe('P8');
    expect(parseSmiText('0123456789', 4)).toBe('0123');
  });

  it.each([
    ['470.256.02', '470.256.02'],
    ['595.71.05', '595.71.05'],
    ['591.86', '591.86'],
    ['13.3', '13.3'],
    ['610.43.02 [Deprecated; will be removed in CUDA 14.0. Use KMD Version instead]', '610.43.02'],
    ['Deprecated, see "KMD version" instead', null],
    ['unknown', null],
    ['13', null],
  ])('reads the version out of %j', (text, version) => {
    expect(parseSmiVersion(text)).toBe(version);
  });

  it.each([
    ['0x0000000000000000', 0],
    ['0x0000000000000004', 4],
    ['0x00000000000001FF', 0x1ff],
    ['0xFFFFFFFFFFFFFFFF', null],
    ['4', null],
    ['0x', null],
  ])('reads the mask %j', (text, mask) => {
    expect(parseSmiMask(text)).toBe(mask);
  });

  it.each([
    ['[GPU is lost]', true],
    ['GPU is lost', true],
    ['[GPU requires reset]', true],
    ['[Unknown Error]', false],
    ['0', false],
  ])('knows whether %j says that the card is gone', (text, lost) => {
    expect(saysCardLost(text)).toBe(lost);
  });
});
