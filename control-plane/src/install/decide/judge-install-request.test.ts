import { describe, expect, it } from 'vitest';
import { contentTypeOf, judgeInstallRequest } from './judge-install-request.js';

const SHA = 'ab'.repeat(32);
const names = new Map([['agent.sh', { bytes: 7, sha256: SHA }]]);
const judge = (path: string, method = 'GET', ifNoneMatch?: string, range?: string) =>
  judgeInstallRequest({ method, path, ifNoneMatch, range, ifRange: undefined }, names);

describe('what is asked for under /install/', () => {
  it('is a file of the release, with its body or without', () => {
    const file = { kind: 'file', name: 'agent.sh', bytes: 7, sha256: SHA, part: null };
    expect(judge('/install/agent.sh')).toEqual({ ...file, withBody: true });
    expect(judge('/install/agent.sh', 'HEAD')).toEqual({ ...file, withBody: false });
  });

  it('is the list of them', () => {
    expect(judge('/install/')).toEqual({ kind: 'list' });
  });

  it('is unchanged for who has it', () => {
    expect(judge('/install/agent.sh', 'GET', `W/"x", "${SHA}"`)).toEqual({ kind: 'unchanged', sha256: SHA });
    expect(judge('/install/agent.sh', 'GET', '"x"')).toMatchObject({ kind: 'file' });
  });

  it('is a part of a file, which a HEAD has none of', () => {
    expect(judge('/install/agent.sh', 'GET', undefined, 'bytes=2-')).toMatchObject({
      part: { from: 2, to: 6 },
    });
    expect(judge('/install/agent.sh', 'HEAD', undefined, 'bytes=2-')).toMatchObject({ part: null });
    expect(judge('/install/agent.sh', 'GET', undefined, 'bytes=7-')).toEqual({
      ...{ kind: 'no_such_part', bytes: 7, sha256: SHA },
    });
  });

  it.each(['agent.sh/', '../agent.sh', './agent.sh', 'agent%2esh', 'AGENT.SH', '__proto__', 'toString', '/'])(
    'is nothing by any other name: %s',
    (name) => {
      expect(judge(`/install/${name}`)).toEqual({ kind: 'unknown', name });
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', ''])('is read and not written: %s', (method) => {
    expect(judge('/install/agent.sh', method)).toEqual({ kind: 'method_not_allowed' });
  });
});

describe('the type of a file', () => {
  it.each([
    ['manifest.json', 'application/json'],
    ['agent.sh', 'text/x-shellscript; charset=utf-8'],
    ['ai-fabric-agent-linux-x64.gz', 'application/octet-stream'],
  ])('of %s is %s', (name, type) => {
    expect(contentTypeOf(name)).toBe(type);
  });
});
