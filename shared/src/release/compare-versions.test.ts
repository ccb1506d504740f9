import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from './compare-versions.js';

describe('of two versions', () => {
  it('the later one comes after the earlier, as Semantic Versioning orders them', () => {
    const inOrder = [
      ...['0.1.0', '0.2.0-rc.1', '0.2.0', '0.9.9', '0.10.0', '1.0.0-alpha', '1.0.0-alpha.1'],
      ...['1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '2.0.0'],
    ];
    for (const [at, one] of inOrder.entries()) {
      for (const [against, other] of inOrder.entries()) {
        expect({ one, other, order: compareVersions(one, other) }).toEqual({
          ...{ one, other },
          order: Math.sign(at - against),
        });
      }
    }
  });

  it('none is later for how it was built', () => {
    expect(compareVersions('1.0.0+abc', '1.0.0+def')).toBe(0);
  });

  it.each(['', '1.0', 'v1.0.0', '1.0.0-', 'newest', '1.0.0 '])('"%s" is none', (text) => {
    expect(compareVersions(text, '1.0.0')).toBeNull();
    expect(compareVersions('1.0.0', text)).toBeNull();
  });

  it('each is as late after the other as that one before it', () => {
    const part = fc.constantFrom('0', '1', '9', '10', 'a', 'b', 'rc');
    const number = fc.nat({ max: 12 });
    const version = fc
      .tuple(number, number, number, fc.array(part, { maxLength: 3 }))
      .map(([major, minor, patch, before]) =>
        [`${major}.${minor}.${patch}`, ...(before.length > 0 ? [before.join('.')] : [])].join('-'),
      );
    fc.assert(
      fc.property(version, version, (one, other) => {
        const order = compareVersions(one, other);
        expect(order === null ? null : order + (compareVersions(other, one) ?? 9)).toBe(0);
        expect(order === 0).toBe(one === other);
      }),
    );
  });
});
