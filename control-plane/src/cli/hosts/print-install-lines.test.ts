import { describe, expect, test } from 'vitest';
import { CliError } from '../exit-codes.js';
import { describeInstallLines, lineFor, tellCreated } from './print-install-lines.js';

const created = {
  ...{
    token: 'aifj_x',
    id: 'k3v9x2mq',
    hostName: null,
    expiresAtMs: 1,
    certificateSha256: 'ab',
    serverUrls: [],
  },
  install: { linux: 'curl aifj_x', windows: null },
};

describe('what is pasted on a new host', () => {
  test('is told with where it is to be pasted, for the systems that there is something for', () => {
    expect(describeInstallLines(created.install)).toEqual(['\nLinux, as root or with sudo:\ncurl aifj_x']);
    expect(describeInstallLines(null)).toEqual([]);
  });

  test('is one line for who asks for one', () => {
    expect(lineFor(created, 'linux')).toBe('curl aifj_x');
    expect(() => lineFor(created, 'windows')).toThrow(CliError);
    expect(() => lineFor({ ...created, install: null }, 'linux')).toThrow(
      'nothing can be installed on linux',
    );
  });

  test('is not told beside a token that was written to a file', () => {
    expect(tellCreated(created, undefined)).toEqual(created);
    expect(JSON.stringify(tellCreated(created, 'armitage.token'))).not.toContain('aifj_x');
  });
});
