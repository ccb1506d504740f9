import { describe, expect, it } from 'vitest';
import { refuseNodeVersion } from './refuse-node-version.mjs';

describe('the Node version that runs the checkout', () => {
  it.each(['20.19.0', '20.20.2', '22.12.0', '22.23.3', '23.0.0', '24.1.0', '26.0.0-nightly'])(
    'may be %s',
    (version) => {
      expect(refuseNodeVersion(version)).toBeNull();
    },
  );

  it.each(['12.22.12', '18.20.4', '20.18.3', '21.7.3', '22.11.0'])(
    'may not be %s, and is told what may',
    (version) => {
      expect(refuseNodeVersion(version)).toMatch(/20\.19 or later.*this is Node/s);
      expect(refuseNodeVersion(version)).toContain(version);
    },
  );
});
