import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClientDefaults } from './client-defaults.js';
import { ConfigError } from './config-error.js';
import { chooseDataDirectory } from './decide/choose-data-directory.js';
import { readControlPlaneConfig } from './read-control-plane-config.js';

describe('the configuration', () => {
  it('has a default for everything, and is frozen', () => {
    const config = readControlPlaneConfig({}, {});
    expect(config).toMatchObject({
      fabricFile: null,
      listenHosts: ['0.0.0.0', '::'],
      port: 8000,
      tlsPort: 8443,
      logLevel: 'info',
      maxBodyBytes: 32 * 1024 * 1024,
      maxMultipartBytes: 200 * 1024 * 1024,
      bodyTimeoutSeconds: 60,
      maxConnections: 4096,
      closeGraceSeconds: 10,
      wakePorts: [9, 7],
      releaseDirectory: expect.stringMatching(/[\\/]\.data[\\/]release$/),
    });
    expect(Object.isFrozen(config) && Object.isFrozen(config.listenHosts)).toBe(true);
  });

  it('takes flags before the environment, and an empty variable for none', () => {
    const environment = {
      AI_FABRIC_DATA: '/from/environment',
      AI_FABRIC_CONFIG: 'fabric.yaml',
      AI_FABRIC_PORT: '9000',
      AI_FABRIC_TLS_PORT: ' ',
      AI_FABRIC_HOST: '127.0.0.1, [::1]',
      AI_FABRIC_RELEASE_DIR: '/from/environment',
    };
    expect(readControlPlaneConfig({ data: '/from/flag', port: '0' }, environment)).toMatchObject({
      dataDirectory: resolve('/from/flag'),
      fabricFile: resolve('fabric.yaml'),
      port: 0,
      tlsPort: 8443,
      listenHosts: ['127.0.0.1', '::1'],
      releaseDirectory: resolve('/from/environment'),
    });
    const flags = { data: '/from/flag', releaseDir: 'release' };
    expect(readControlPlaneConfig(flags, environment).releaseDirectory).toBe(resolve('release'));
    expect(readControlPlaneConfig({ host: ['100.64.0.1', 'localhost'] }, environment).listenHosts).toEqual([
      '100.64.0.1',
      'localhost',
    ]);
  });

  it('names every setting that cannot be used, at once', () => {
    const read = () =>
      readControlPlaneConfig(
        { port: '80000', tlsPort: 'x', host: 'http://motoko:8000', logLevel: 'loud' },
        {
          AI_FABRIC_MAX_BODY_BYTES: '12',
          AI_FABRIC_MAX_CONNECTIONS: '1',
          AI_FABRIC_CLOSE_GRACE_SECONDS: '-1',
        },
      );
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(
      [
        '--host: expected an address of this machine without scheme or port, such as 0.0.0.0 or ::1, found "http://motoko:8000"',
        '--port: expected a port from 0 to 65535, found "80000"',
        '--tls-port: expected a port from 0 to 65535, found "x"',
        '--log-level: expected one of fatal, error, warn, info, debug, trace, silent, found "loud"',
        'AI_FABRIC_MAX_BODY_BYTES: expected a number of bytes from 1024 to 1073741824, found "12"',
        'AI_FABRIC_MAX_CONNECTIONS: expected a number of connections from 16 to 100000, found "1"',
        'AI_FABRIC_CLOSE_GRACE_SECONDS: expected a number of seconds from 0 to 3600, found "-1"',
      ].join('\n'),
    );
  });

  it('refuses one port for two listeners, but for "any free port"', () => {
    expect(() => readControlPlaneConfig({ port: '8443' }, {})).toThrow(/--tls-port: expected another port/);
    expect(readControlPlaneConfig({ port: '0', tlsPort: '0' }, {})).toMatchObject({ port: 0, tlsPort: 0 });
  });
});

describe('the data directory', () => {
  const facts = {
    platform: 'linux',
    isRoot: false,
    homeDirectory: '/home/m',
    xdgDataHome: undefined,
    programData: undefined,
  };

  it.each([
    ['root on Linux', { isRoot: true }, '/var/lib/ai-fabric'],
    ['a user on Linux', {}, '/home/m/.local/share/ai-fabric'],
    ['a user with XDG_DATA_HOME', { xdgDataHome: '/data/m' }, '/data/m/ai-fabric'],
    ['a user with a relative XDG_DATA_HOME', { xdgDataHome: 'data' }, '/home/m/.local/share/ai-fabric'],
    ['a user on macOS', { platform: 'darwin', isRoot: true }, '/home/m/.local/share/ai-fabric'],
    ['Windows', { platform: 'win32', programData: 'D:\\Data' }, 'D:\\Data\\ai-fabric'],
    ['Windows without a variable', { platform: 'win32' }, 'C:\\ProgramData\\ai-fabric'],
  ])('of %s has its place', (_, differing, expected) => {
    expect(chooseDataDirectory({ ...facts, ...differing })).toBe(expected);
  });
});

describe('what the operator commands take from the environment', () => {
  it('is nothing but the data directory unless it is set', () => {
    const none = readClientDefaults({ XDG_DATA_HOME: homedir() });
    expect(none).toMatchObject({ url: null, certificateSha256: null, adminTokenFile: null });
    expect(readClientDefaults({ AI_FABRIC_DATA: '/d', AI_FABRIC_URL: 'https://motoko:8443' })).toMatchObject({
      dataDirectory: resolve('/d'),
      url: 'https://motoko:8443',
    });
  });
});
