import { describe, expect, it } from 'vitest';
import { normaliseBusId, spellBusId } from './normalise-bus-id.js';

describe('one spelling of a PCI address', () => {
  it.each([
    ['00000000:0B:00.0', '0000:0b:00.0'],
    ['0000:0B:00.0', '0000:0b:00.0'],
    ['0000:0b:00.0', '0000:0b:00.0'],
    ['0B:00.0', '0000:0b:00.0'],
    ['GPU0000:65:00.0', '0000:65:00.0'],
    ['00000001:0B:00.0', '0001:0b:00.0'],
    ['00010000:0B:00.0', '10000:0b:00.0'],
    ['Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost. Reboot', '0000:02:00.0'],
    ['Unable to determine the device handle for GPU0000:20:00.0: Unknown Error', '0000:20:00.0'],
  ])('finds it in %j', (text, busId) => {
    expect(normaliseBusId(text)).toBe(busId);
  });

  it.each(['', 'N/A', '[GPU is lost]', '12:34', '0000:zz:00.0', 'GPU-4c5d:1'])('finds none in %j', (text) => {
    expect(normaliseBusId(text)).toBeNull();
  });
});

describe('the driver’s spelling', () => {
  it.each([
    ['0000:0b:00.0', '00000000:0B:00.0'],
    ['10000:01:00.0', '00010000:01:00.0'],
  ])('of %s is %s, and the way back is the same card', (busId, spelt) => {
    expect(spellBusId(busId)).toBe(spelt);
    expect(normaliseBusId(spelt)).toBe(busId);
  });
});
