import { describe, expect, it } from 'vitest';
import { chooseReleaseDirectory } from './choose-release-directory.js';

describe('what hosts install from', () => {
  it.each([
    [
      '/opt/ai-fabric/versions/0.2.0/lib/control-plane/dist/program/main.js',
      true,
      '/opt/ai-fabric/versions/0.2.0/release',
    ],
    [
      '/home/lib/control-plane/lib/control-plane/dist/program/chunk-2CNB.js',
      true,
      '/home/lib/control-plane/release',
    ],
    ['/somewhere/else/main.js', true, null],
    ['/home/me/ai-fabric/control-plane/dist/program/main.js', false, '/home/me/ai-fabric/.data/release'],
    ['/home/me/ai-fabric/control-plane/dist/config/x.js', false, '/home/me/ai-fabric/.data/release'],
    ['/home/me/control-plane/src/config/x.ts', false, '/home/me/.data/release'],
    ['C:\\src\\control-plane\\dist\\program\\main.js', false, 'C:\\src\\.data\\release'],
    ['/somewhere/else/main.js', false, null],
  ])('of %s (packaged: %s) lies in %s', (file, packaged, directory) => {
    expect(chooseReleaseDirectory(file, packaged)).toBe(directory);
  });
});
