import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeEndpoints, NOBODY_SIGNED_IN } from './judge-endpoints.js';
import { listEndpoints } from './list-endpoints.js';
import { parseEndpoint } from './parse-endpoint.js';
import { userRuntimeDirectory } from './user-runtime-directory.js';

describe('where engines are looked for', () => {
  test.each([
    [{ platform: 'linux', runtimeDirectory: null }, ['/var/run/docker.sock', '/run/podman/podman.sock']],
    [
      { platform: 'linux', runtimeDirectory: '/run/user/1000/' },
      [
        '/var/run/docker.sock',
        '/run/podman/podman.sock',
        '/run/user/1000/podman/podman.sock',
        '/run/user/1000/docker.sock',
      ],
    ],
    [
      { platform: 'win32', runtimeDirectory: '/run/user/1000' },
      ['\\\\.\\pipe\\docker_engine', '\\\\.\\pipe\\dockerDesktopLinuxEngine'],
    ],
  ])('%j', (host, endpoints) => {
    expect(listEndpoints(host)).toEqual(endpoints);
  });
});

describe('a configured endpoint', () => {
  test.each([
    ['unix:///run/user/1000/docker.sock', '/run/user/1000/docker.sock'],
    ['/var/run/docker.sock', '/var/run/docker.sock'],
    [' unix:///run/podman/podman.sock ', '/run/podman/podman.sock'],
    ['npipe:////./pipe/docker_engine', '\\\\.\\pipe\\docker_engine'],
    ['\\\\.\\pipe\\dockerDesktopLinuxEngine', '\\\\.\\pipe\\dockerDesktopLinuxEngine'],
  ])('%s is a path', (text, path) => {
    expect(parseEndpoint(text)).toEqual({ ok: true, path });
  });

  test.each([
    ['tcp://10.0.0.1:2375', /over the network/],
    ['https://docker.example', /over the network/],
    ['ssh://me@host', /over the network/],
    ['docker.sock', /neither/],
    ['', /neither/],
    ['//server/share', /neither/],
    ['\\\\server\\pipe\\docker_engine', /neither/],
    [`unix:///${'x'.repeat(120)}`, /107/],
  ])('%s is refused', (text, detail) => {
    expect(parseEndpoint(text)).toMatchObject({ ok: false, detail: expect.stringMatching(detail) });
  });

  test('is taken or refused, whatever it is, and what is taken is taken again the same', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        const parsed = parseEndpoint(text);
        if (parsed.ok) expect(parseEndpoint(parsed.path)).toEqual(parsed);
        else expect(parsed.detail.length).toBeLessThan(400);
      }),
    );
  });
});

describe('the folder of the user whose engine it is', () => {
  test.each([
    ['/run/user/1000/podman/podman.sock', '/run/user/1000'],
    ['/var/run/user/0/docker.sock', '/var/run/user/0'],
    ['/run/user/1000', null],
    ['/run/user/alice/docker.sock', null],
    ['/home/alice/run/user/1000/docker.sock', null],
    ['/var/run/docker.sock', null],
    ['\\\\.\\pipe\\docker_engine', null],
  ])('of %s is %s', (endpoint, folder) => {
    expect(userRuntimeDirectory(endpoint)).toBe(folder);
  });
});

describe('why no engine answers', () => {
  const at = (code: string, endpoint = '/var/run/docker.sock') => ({ endpoint, code });

  test.each([
    [
      'linux',
      [at('ENOENT'), at('ENOENT', '/run/podman/podman.sock')],
      'engine_unreachable',
      /No container engine/,
      /Install/,
    ],
    [
      'linux',
      [at('EACCES'), at('ENOENT')],
      'engine_unreachable',
      /may not use \/var\/run\/docker\.sock/,
      /usermod -aG docker/,
    ],
    [
      'linux',
      [at('ENOENT'), at('EPERM', '/run/podman/podman.sock')],
      'engine_unreachable',
      /podman\.sock/,
      /as good as root/,
    ],
    ['linux', [at('ECONNREFUSED'), at('ENOENT')], 'engine_unreachable', /has stopped/, /systemctl start/],
    ['linux', [at('it takes too long')], 'engine_unreachable', /it takes too long/, /restart it/],
    ['linux', [], 'engine_unreachable', /No place/, /Install/],
    [
      'linux',
      [at('ENOENT'), at(NOBODY_SIGNED_IN, '/run/user/1000/podman/podman.sock')],
      'sign_in_needed',
      /run\/user\/1000\/podman\/podman\.sock is a user’s own/,
      /enable-linger/,
    ],
    [
      'linux',
      [at('ECONNREFUSED'), at(NOBODY_SIGNED_IN, '/run/user/1000/podman/podman.sock')],
      'engine_unreachable',
      /docker\.sock/,
      /systemctl start/,
    ],
    ['win32', [at('ENOENT'), at('ENOENT')], 'sign_in_needed', /signs in/, /install --docker-logon-task/],
    ['win32', [at('EACCES'), at('ENOENT')], 'engine_unreachable', /may not use/, /docker-users/],
    [
      'win32',
      [at('ENOENT'), at('it takes too long')],
      'engine_unreachable',
      /does not answer/,
      /wsl --shutdown/,
    ],
  ] as const)('%s %j', (platform, trials, code, detail, fix) => {
    const judged = judgeEndpoints(trials, platform);
    expect(judged).toMatchObject({ reachable: false, code });
    expect(judged.detail).toMatch(detail);
    expect(judged.fix).toMatch(fix);
  });
});
