import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOlder, readEngineInfo } from './read-engine-info.js';

const docker = (Version: string, ApiVersion: string, MinAPIVersion = '1.24') => ({
  ...{ Version, ApiVersion, MinAPIVersion },
  Components: [{ Name: 'Engine', Version }],
});
const podman = (Version: string) => ({
  ...docker(Version, '1.41'),
  Components: [{ Name: 'Podman Engine', Version }],
});

describe('what an engine is', () => {
  test.each([
    [docker('28.1.1', '1.49'), null, { flavour: 'docker', version: '28.1.1', apiVersion: '1.49' }],
    [docker('19.03.15', '1.40'), null, { apiVersion: '1.40' }],
    [docker('31.0.0', '1.60', '1.44'), null, { apiVersion: '1.51' }],
    [podman('4.3.1'), { Rootless: false }, { flavour: 'podman', version: '4.3.1', rootless: false }],
    [podman('5.4.0'), { Rootless: true }, { flavour: 'podman', rootless: true }],
    [docker('28.1.1', '1.49'), { SecurityOptions: ['name=seccomp', 'name=rootless'] }, { rootless: true }],
    [docker('28.1.1', '1.49'), { OperatingSystem: 'Docker Desktop' }, { desktop: true }],
    [docker('28.1.1', '1.49'), { DockerRootDir: '/var/lib/docker' }, { storagePath: '/var/lib/docker' }],
    [docker('28.1.1', '1.49'), { DockerRootDir: 7 }, { storagePath: null, rootless: false }],
    [docker('28.1.1', '1.49'), 'nonsense', { rootless: false, desktop: false }],
  ])('%j %j', (version, info, expected) => {
    const probe = readEngineInfo(version, info, '/run/docker.sock');
    expect(probe).toMatchObject({ reachable: true, info: { ...expected, endpoint: '/run/docker.sock' } });
  });

  test.each([
    [docker('18.09', '1.39')],
    [docker('99', '1.99', '1.80')],
    [podman('3.4.4')],
    [docker('1', 'one')],
  ])('%j is too old, or too new', (version) => {
    expect(readEngineInfo(version, null, '/x')).toMatchObject({ reachable: false, code: 'engine_too_old' });
  });

  test.each([[null], ['<html>'], [{}], [[]], [{ ApiVersion: 4 }]])('%j is no engine', (version) => {
    expect(readEngineInfo(version, null, '/x')).toBeNull();
  });

  test('nothing that answers breaks it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (version, info) => {
        readEngineInfo(version, info, '/x');
      }),
    );
  });
});

describe('versions', () => {
  test.each([
    ['5.3.9', '5.4', true],
    ['5.4', '5.4', false],
    ['5.4.0-dev', '5.4', false],
    ['4.9.3', '5.4', true],
    ['v5.10.1', '5.4', false],
    ['10.0', '9.9', false],
    ['unknown', '0.1', true],
  ])('%s is older than %s: %s', (version, than, older) => {
    expect(isOlder(version, than)).toBe(older);
  });

  test('no two are older than each other', () => {
    const version = fc.array(fc.nat(99), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(version, version, (one, other) => {
        expect(isOlder(one, other) && isOlder(other, one)).toBe(false);
        expect(isOlder(one, one)).toBe(false);
      }),
    );
  });
});
