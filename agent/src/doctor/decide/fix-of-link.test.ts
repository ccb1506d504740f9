import { describe, expect, it, test } from 'vitest';
import { fixOfLink } from './fix-of-link.js';

describe('a link that this host mends', () => {
  it.each(['pin_mismatch', 'unknown_host', 'revoked', 'proof_failed'])(
    'by joining anew (%s): a service by the printed line, another agent by hand',
    (code) => {
      for (const platform of ['linux', 'win32'] as const) {
        expect(fixOfLink(code, true, platform)).toMatch(/token create.*--rejoin put behind its --pin/);
        expect(fixOfLink(code, true, platform)).not.toContain('join --force');
        expect(fixOfLink(code, false, platform)).toContain('join --force');
      }
    },
  );

  test.each(['unreachable', 'not_a_control_plane', null])('is none where it is not reached: %s', (code) => {
    expect(fixOfLink(code, true, 'linux')).toBeNull();
  });
});
