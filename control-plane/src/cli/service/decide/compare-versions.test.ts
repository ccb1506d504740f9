import { describe, expect, it } from 'vitest';
import { compareVersions } from './compare-versions.js';

describe('versions', () => {
  it('are in the order of semantic versioning', () => {
    const ordered = [
      '0.1.0',
      '0.2.0-alpha',
      '0.2.0-alpha.1',
      '0.2.0-alpha.beta',
      '0.2.0-beta.2',
      '0.2.0-beta.11',
      '0.2.0',
      '0.10.0',
      '1.0.0',
    ];
    for (const [at, version] of ordered.entries()) {
      for (const [other, than] of ordered.entries()) {
        expect(Math.sign(compareVersions(version, than)), `${version} and ${than}`).toBe(
          Math.sign(at - other),
        );
      }
    }
  });

  it('are the same whatever stands after "+"', () => {
    expect(compareVersions('1.2.3+4', '1.2.3+5')).toBe(0);
  });
});
