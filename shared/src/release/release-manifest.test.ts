import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  commitSchema,
  judgeFile,
  releaseArtefactSchema,
  releaseManifestSchema,
  releaseVersionSchema,
} from './release-manifest.js';
import { artefactOf, manifestOf } from './testing/manifest-of.js';

describe('a version', () => {
  test.each(['0.1.0', '1.2.3', '10.20.30', '1.0.0-rc.1', '1.0.0-beta'])('%s is one', (version) => {
    expect(releaseVersionSchema.safeParse(version).success).toBe(true);
  });

  test.each([
    ...['', '1', '1.2', 'v1.2.3', '01.2.3', '1.2.3.4', '1.2.3-', '1.2.3-rc..1', '1.2.3+build', '1.2.3 '],
    ...['../1.2.3', '1.2.3/..', 'latest', `1.2.3-${'a'.repeat(40)}`],
  ])('%j is none', (version) => {
    expect(releaseVersionSchema.safeParse(version).success).toBe(false);
  });
});

describe('a commit', () => {
  test.each(['a'.repeat(40), `${'0'.repeat(40)}-dirty`])('%s is one', (commit) => {
    expect(commitSchema.safeParse(commit).success).toBe(true);
  });

  test.each(['', 'a'.repeat(39), 'a'.repeat(41), 'A'.repeat(40), `${'a'.repeat(40)}-changed`])(
    '%j is none',
    (commit) => {
      expect(commitSchema.safeParse(commit).success).toBe(false);
    },
  );
});

describe('a manifest', () => {
  it('is taken as the packaging writes it', () => {
    const manifest = manifestOf();
    expect(releaseManifestSchema.parse(manifest)).toEqual(manifest);
  });

  it('may be of no commit and of no key', () => {
    expect(releaseManifestSchema.safeParse(manifestOf({ commit: null, keySha256: null })).success).toBe(true);
  });

  it('may say more than this program knows', () => {
    expect(releaseManifestSchema.parse({ ...manifestOf(), notes: 'a later one' })).toEqual(manifestOf());
  });

  test.each([
    ['of another format', { format: 2 }],
    ['of a version that is none', { version: 'latest' }],
    ['of a protocol that is none', { protocol: 0 }],
    ['without a time', { builtAt: 'yesterday' }],
    ['without an artefact', { artefacts: [] }],
    [
      'with more artefacts than any release has',
      { artefacts: Array.from({ length: 65 }, (_, at) => artefactOf({ name: `a${at}` })) },
    ],
    ['with two artefacts of one name', { artefacts: [artefactOf(), artefactOf({ kind: 'script' })] }],
    ['with a key that is no SHA-256', { keySha256: 'none' }],
  ])('is refused %s', (_what, change) => {
    expect(releaseManifestSchema.safeParse({ ...manifestOf(), ...change }).success).toBe(false);
  });
});

describe('an artefact', () => {
  const takes = (change: object): boolean =>
    releaseArtefactSchema.safeParse({ ...artefactOf(), ...change }).success;

  test.each([
    ['a path', { name: 'agent/linux.gz' }],
    ['a way out', { name: '../agent.gz' }],
    ['a way out, as Windows writes it', { name: '..\\agent.gz' }],
    ['a drive', { name: 'C:agent.gz' }],
    ['nothing', { name: '' }],
    ['a hidden file', { name: '.agent' }],
    ['an option', { name: '-rf' }],
    ['two lines', { name: 'agent\n.gz' }],
    ['more than a name', { name: 'a'.repeat(101) }],
  ])('has no name that is %s', (_what, change) => {
    expect(takes(change)).toBe(false);
  });

  test.each([
    ['a way out', '../ai-fabric-agent'],
    ['a way out in the middle', 'bin/../../ai-fabric-agent'],
    ['the root', '/ai-fabric-agent'],
    ['an empty folder', 'bin//ai-fabric-agent'],
    ['a folder', 'bin/'],
    ['a backslash', 'bin\\ai-fabric-agent'],
  ])('holds no file whose path is %s', (_what, name) => {
    expect(takes({ files: [{ name, bytes: 1, sha256: 'ab'.repeat(32) }] })).toBe(false);
  });

  it('holds files in folders', () => {
    expect(takes({ files: [{ name: 'node/bin/node', bytes: 1, sha256: 'ab'.repeat(32) }] })).toBe(true);
  });

  test.each([
    ['a size below zero', { bytes: -1 }],
    ['half a byte', { bytes: 1.5 }],
    ['a SHA-256 in capitals', { sha256: 'AB'.repeat(32) }],
    ['a short SHA-256', { sha256: 'ab' }],
    ['an unknown kind', { kind: 'dashboard' }],
    ['an unknown system', { os: 'darwin' }],
    ['an unknown processor', { architecture: 'arm64' }],
    ['an unknown compression', { compression: 'zstd' }],
  ])('is refused with %s', (_what, change) => {
    expect(takes(change)).toBe(false);
  });

  it('never has a name that leads out of its folder', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', '-', ':', '\0', ' ') }), (name) => {
        if (takes({ name })) expect(name).toMatch(/^[a-z][a-z.-]*$/);
      }),
    );
  });
});

describe('a file beside what its manifest says', () => {
  const expected = { name: 'agent.sh', bytes: 3, sha256: 'ab'.repeat(32) };

  it('is the one', () => {
    expect(judgeFile(expected, { bytes: 3, sha256: 'ab'.repeat(32) })).toBeNull();
  });

  it('is shorter or longer', () => {
    expect(judgeFile(expected, { bytes: 2, sha256: 'ab'.repeat(32) })).toBe(
      'agent.sh has 2 bytes, and the manifest says 3',
    );
  });

  it('is another of the same length', () => {
    expect(judgeFile(expected, { bytes: 3, sha256: 'cd'.repeat(32) })).toMatch(
      /^agent\.sh has the SHA-256 cdcd.*, and the manifest says abab/,
    );
  });
});
