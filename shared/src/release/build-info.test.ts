import { describe, expect, it, test } from 'vitest';
import { PROTOCOL_VERSION } from '../wire/protocol-version.js';
import { BUILD, type BuildInfo, describeBuild, readBuildInfo } from './build-info.js';

const COMMIT = '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d';
const packaged: BuildInfo = { version: null, commit: COMMIT, releaseKey: null, packaged: true };

describe('what a program was built from', () => {
  it('is nothing in particular in a checkout', () => {
    expect(BUILD).toEqual({ version: null, commit: null, releaseKey: null, packaged: false });
    expect(readBuildInfo(undefined)).toEqual(BUILD);
  });

  it('is what the packaging wrote', () => {
    const build = { ...packaged, version: '0.2.0', releaseKey: 'a key' };
    expect(readBuildInfo(JSON.stringify(build))).toEqual(build);
    expect(readBuildInfo(JSON.stringify({ ...packaged, commit: `${COMMIT}-dirty` })).commit).toBe(
      `${COMMIT}-dirty`,
    );
  });

  test.each([
    ['no JSON', 'packaged'],
    ['no object', '"packaged"'],
    ['a member too many', JSON.stringify({ ...packaged, host: 'motoko' })],
    ['a member too few', JSON.stringify({ commit: null, releaseKey: null })],
    ['a short commit', JSON.stringify({ ...packaged, commit: COMMIT.slice(0, 7) })],
    ['a version that is none', JSON.stringify({ ...packaged, version: 'latest' })],
  ])('is refused where it is %s', (_what, text) => {
    expect(() => readBuildInfo(text)).toThrow();
  });
});

describe('how a program tells of itself', () => {
  const tell = (build: BuildInfo): string => describeBuild('ai-fabric-agent', '0.1.0', build, 6);

  it.each([
    [packaged, 'ai-fabric-agent 0.1.0 (commit 1a2b3c4, protocol 6, development build: unsigned)'],
    [
      { ...packaged, releaseKey: 'a key' },
      'ai-fabric-agent 0.1.0 (commit 1a2b3c4, protocol 6, release build: signed)',
    ],
    [
      { ...packaged, commit: `${COMMIT}-dirty` },
      'ai-fabric-agent 0.1.0 (commit 1a2b3c4, changed, protocol 6, development build: unsigned)',
    ],
    [
      { ...packaged, commit: null },
      'ai-fabric-agent 0.1.0 (commit unknown, protocol 6, development build: unsigned)',
    ],
    [
      readBuildInfo(undefined),
      'ai-fabric-agent 0.1.0 (from a checkout, protocol 6, development build: unsigned)',
    ],
  ])('with version, commit, protocol and whether it is signed: %#', (build, words) => {
    expect(tell(build)).toBe(words);
  });

  it('takes its own build and protocol where none is given', () => {
    expect(describeBuild('ai-fabric', '0.1.0')).toBe(
      `ai-fabric 0.1.0 (from a checkout, protocol ${PROTOCOL_VERSION}, development build: unsigned)`,
    );
  });
});
