import { describe, expect, it } from 'vitest';
import { compareFiles, readChecksums } from './read-checksums.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

describe('a list of checksums', () => {
  it('is read in the forms that sha256sum writes', () => {
    expect(readChecksums(`${A}  bin/ai-fabric\n${B} *./lib/main file.js\n`)).toEqual([
      { path: 'bin/ai-fabric', sha256: A },
      { path: 'lib/main file.js', sha256: B },
    ]);
  });

  it.each([
    ['', 'nothing'],
    [`${A}  /etc/passwd\n`, 'an absolute path'],
    [`${A}  lib/../../x\n`, 'a way out'],
    [`${A.slice(1)}  x\n`, 'a short hash'],
    [`${A}  x\nnot a line\n`, 'another line'],
  ])('is none with %j (%s)', (text) => {
    expect(readChecksums(text)).toBeNull();
  });

  it('tells what was changed, what is missing and what was added', () => {
    const sums = [
      { path: 'same', sha256: A },
      { path: 'other', sha256: A },
      { path: 'gone', sha256: A },
    ];
    expect(compareFiles(sums, { same: A, other: B, more: B })).toEqual([
      'other is not what it was',
      'gone is missing',
      'more does not belong to it',
    ]);
    expect(compareFiles(sums.slice(0, 1), { same: A })).toEqual([]);
  });
});
