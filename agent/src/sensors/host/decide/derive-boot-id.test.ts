import { describe, expect, it } from 'vitest';
import { deriveBootId } from './derive-boot-id.js';

const BOOT_MS = Date.UTC(2026, 0, 5, 8, 0, 0);
const first = deriveBootId(null, BOOT_MS + 120_000, 120);

describe('the identity of a boot that the system does not name', () => {
  it('is made from when it began', () => {
    expect(first).toEqual({
      bootId: 'booted-2026-01-05T08:00:00.000Z',
      bootedAtMs: BOOT_MS,
      uptimeSeconds: 120,
    });
  });

  it('stays through restarts of the agent', () => {
    expect(deriveBootId(first, BOOT_MS + 3_600_500, 3600).bootId).toBe(first.bootId);
  });

  it.each([59_000, -59_000, 1])('stays when the clock is set by %d ms', (byMs) => {
    const later = deriveBootId(first, BOOT_MS + 3_600_000 + byMs, 3600);
    expect(later).toEqual({ ...first, uptimeSeconds: 3600 });
  });

  it('does not creep: small corrections add up against the first reading', () => {
    let record = first;
    for (let step = 1; step <= 3; step += 1)
      record = deriveBootId(record, BOOT_MS + step * (3_600_000 + 25_000), step * 3600);
    expect(record.bootId).not.toBe(first.bootId);
  });

  it.each([61_000, -61_000, 3_600_000])(
    'is another when the clock was set by %d ms: the safe side',
    (byMs) => {
      expect(deriveBootId(first, BOOT_MS + 3_600_000 + byMs, 3600).bootId).not.toBe(first.bootId);
    },
  );

  it('is another after a reboot, by its shorter uptime', () => {
    expect(deriveBootId(first, BOOT_MS + 130_000, 100).bootId).not.toBe(first.bootId);
  });

  it('is another after a reboot that the agent slept through', () => {
    expect(deriveBootId(first, BOOT_MS + 86_400_000, 7200).bootId).not.toBe(first.bootId);
  });

  it('fits the wire', () => {
    expect(first.bootId.length).toBeLessThanOrEqual(80);
  });
});
