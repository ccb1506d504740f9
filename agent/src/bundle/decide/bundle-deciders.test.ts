import { describe, expect, it, test } from 'vitest';
import { cutLines } from './cut-lines.js';
import { maskVariables, secretsOfEnvironment, secretsOfTree } from './find-secrets.js';
import { namesOfRecords } from './names-of-records.js';
import { oldestFirst } from './oldest-first.js';
import { NameRedaction } from './redact-names.js';

describe('names that are to stay out', () => {
  const redaction = new NameRedaction(['Armitage', 'motoko', 'ab']);

  it.each([
    ['armitage is linked to motoko', 'name-1 is linked to name-2'],
    ['ARMITAGE, not armitages', 'name-1, not armitages'],
    ['mac aa:bb:cc:dd:ee:0f, AA-BB-CC-DD-EE-0F', 'mac mac-1, mac-1'],
    ['from 192.168.1.20 to 127.0.0.1 and 0.0.0.0', 'from address-1 to 127.0.0.1 and 0.0.0.0'],
    ['fe80::1 and fd7a:115c:a1e0::7 and ::1', 'address-2 and address-3 and ::1'],
    ['/home/miket/x C:\\Users\\miket\\x', '/home/user-1/x C:\\Users\\user-1\\x'],
  ])('%s', (text, redacted) => expect(redaction.apply(text)).toBe(redacted));

  it.each([
    '12:34:56',
    '00000000:0B:00.0',
    '580.65.06',
    '2026-11-30T02:45:00Z',
    'GPU-5a1ef0b0-0000-4000-8000-000000002080',
  ])('%s stays', (text) => expect(redaction.apply(text)).toBe(text));

  test('are found in records', () => {
    const text = JSON.stringify({
      serverUrl: 'https://motoko:8443',
      hostName: 'armitage',
      server: 'https://100.64.0.1:8443',
    });
    expect(namesOfRecords([{ text }])).toEqual(['armitage', 'motoko']);
  });
});

describe('secrets that are known', () => {
  test('by the names of variables, in addresses, and by their looks', () => {
    const values = (environment: Record<string, string>) =>
      secretsOfEnvironment(environment, 'x').map(({ value }) => value);
    expect(values({ HF_TOKEN: 'abc', PATH: '/bin', VLLM_API_KEY: 'def' })).toEqual(['abc', 'def']);
    expect(values({ https_proxy: 'http://me:p%40ss@proxy:3128' })).toEqual(['p%40ss', 'p@ss']);
    expect(
      values({ ODD: 'aB3dE6gH9jK2mN5pQ8sT1', CARD: 'GPU-5a1ef0b0-0000-4000-8000-00000000208A' }),
    ).toEqual(['aB3dE6gH9jK2mN5pQ8sT1']);
    expect(values({ CUDA_HOME: '/usr/local/cuda-12.8', HOME: '/root' })).toEqual([]);
  });

  test('in trees, arguments and lists of variables', () => {
    const tree = {
      db: { password: { first: 'one', more: ['two', 3] }, user: 'me' },
      args: ['--api-key', 'four', 'five', '--port', '8000', '--hf-token=six'],
      env: ['HF_TOKEN=seven', 'PATH=/bin'],
      proxy: 'http://me:eight@proxy',
    };
    const values = secretsOfTree(tree, 'x').map(({ value }) => value);
    for (const each of ['one', 'two', '3', 'four', 'five', 'six', 'seven', 'eight'])
      expect(values).toContain(each);
    for (const each of ['me', '8000', '/bin']) expect(values).not.toContain(each);
  });

  test('values of variables are left out unless they are of use', () => {
    expect(maskVariables(['HF_HUB_OFFLINE=1', 'VLLM_API_KEY=abc', 'ODD=x', 'ALONE'], '***')).toEqual([
      ...['HF_HUB_OFFLINE=1', 'VLLM_API_KEY=***', 'ODD=***', 'ALONE=***'],
    ]);
  });
});

describe('lines', () => {
  test('stay whole where a text is cut', () => {
    expect(cutLines('one\ntwo\nthree\n', 9, 'first')).toEqual({ text: 'one\ntwo\n', isCut: true });
    expect(cutLines('one\ntwo\nthree\n', 11, 'last')).toEqual({ text: 'two\nthree\n', isCut: true });
    expect(cutLines('one\ntwo\n', 8, 'last')).toEqual({ text: 'one\ntwo\n', isCut: false });
    for (const keeps of ['first', 'last'] as const) {
      expect(cutLines('x'.repeat(50), 10, keeps)).toEqual({ text: '', isCut: true });
    }
  });

  test('of a journal come with the oldest first, and what is indented stays below its own', () => {
    expect(oldestFirst('three\n  more of three\ntwo\none\n')).toBe('one\ntwo\nthree\n  more of three\n');
    expect(oldestFirst('')).toBe('');
  });
});
