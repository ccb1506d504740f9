import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MASK, maskText } from './mask-text.js';
import { isSecretName } from './secret-names.js';

describe('a masked text', () => {
  it.each([
    ['a known secret', 'it said hunter-two-hunter', 'hunter-two-hunter'],
    ['a known secret inside JSON', JSON.stringify({ a: 'quo"ted secret' }), 'quo"ted secret'],
    ['a known secret inside an address', `x?k=${encodeURIComponent('a/b c+d=e')}`, 'a/b c+d=e'],
    [
      'a known secret in base64',
      `{"auth":"${Buffer.from('a secret of mine').toString('base64')}"}`,
      'a secret of mine',
    ],
    [
      'a known secret of several lines',
      'line: MC4CAQAwBQYDK2VwBCIEIA',
      '-----BEGIN X-----\nMC4CAQAwBQYDK2VwBCIEIA\n',
    ],
  ])('has no %s', (_, text, secret) => {
    const masked = maskText(text, [secret]);
    expect(masked).toContain(MASK);
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
      expect(masked).not.toContain(form);
    }
  });

  it.each([
    ['an admin token', 'aifa_0123456789abcdefghij', '0123456789abcdefghij'],
    ['a join token', 'aifj_abc.0123456789abcdefghij', '0123456789abcdefghij'],
    ["a provider's key", 'Incorrect API key provided: sk-proj-0123456789abcdef', '0123456789abcdef'],
    ["a hub's token", 'token hf_abcdefghijklmnop is invalid', 'abcdefghijklmnop'],
    ['a signed claim', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl', 'c2lnbmF0dXJl'],
    ['a bearer', 'authorization: Bearer abcdef123456', 'abcdef123456'],
    ['a header of another scheme', 'Authorization: Digest username=me, response=abcdef', 'abcdef'],
    ['a cookie', 'cookie: a=1; session=abcdef', 'abcdef'],
    ['a user and password', 'http://me:pass123@armitage:8000/', 'pass123'],
    ['a password with an @', 'http://me:p@ss123@armitage:8000/', 'ss123'],
    ['a query', 'https://hooks.example.net/x?sig=abcdef', 'abcdef'],
    ['a field called so', '{"apiKey":"abcdef","x":1}', 'abcdef'],
    ['a field within a text of JSON', JSON.stringify({ a: JSON.stringify({ apiKey: 'abcdef' }) }), 'abcdef'],
    ['a number called so', '{"password":12345678,"x":1}', '12345678'],
    ['a list called so', `{'api_key': ['abcdef', 'ghi]jkl'], 'x': 1}`, 'jkl'],
    ['a variable', 'HF_TOKEN=abcdef', 'abcdef'],
    ['a variable in quotes', `Environment="DB_PASSWORD=abc def" "X=1"`, 'abc def'.slice(0, 3)],
    ['a variable of a registry', String.raw`REG_MULTI_SZ    A=b\0HF_TOKEN=abcdef\0C=d`, 'abcdef'],
    ["a text of Python's", `{'password': b'abcdef'}`, 'abcdef'],
    ['a flag', 'vllm serve --api-key abcdef ghijkl --port 8000', 'ghijkl'],
    ['a flag with =', 'vllm serve --hf-token=abcdef --port 8000', 'abcdef'],
    ['a flag in a list', `['--api-key', 'abcdef', '--port', '8000']`, 'abcdef'],
    ['a flag in JSON', '"--api-key",\n  "abcdef",\n  "--port"', 'abcdef'],
    ['a setting of YAML', 'password: abcdef\nx: 1\n', 'abcdef'],
    ['a text of several lines of YAML', 'a:\n  password: |\n    abc\n    def\n  x: 1\n', 'def'],
    ['a list of YAML', 'apiKeys:\n- abcdef\n- ghijkl\nx: 1\n', 'ghijkl'],
    ['an element', '<password>abcdef</password>', 'abcdef'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----', 'MIIabc'],
    ['a private key that was cut off', `-----BEGIN PRIVATE KEY-----\nMIIabc${'d'.repeat(20)}\n`, 'MIIabc'],
    ['the end of a private key', `\n${'MIIabc'.repeat(5)}\n-----END PRIVATE KEY-----`, 'MIIabc'],
  ])('has no %s that nobody knew', (_, text, secret) => {
    expect(maskText(text, [])).not.toContain(secret);
  });

  it('keeps what is none, and stays JSON', () => {
    const value = {
      url: 'http://armitage:8000/v1',
      model: 'Qwen/Qwen2.5-7B-Instruct-AWQ',
      apiKey: { env: 'OPENAI_API_KEY' },
      contextTokens: 16_384,
      eos_token_id: 5,
      text: 'the token was refused; max_tokens=512; a --token-file F; LoadCredential=host-key.pem:/etc/x',
    };
    expect(JSON.parse(maskText(JSON.stringify(value), ['', 'abc']))).toEqual(value);
  });

  it('keeps the rest of the line and of the document', () => {
    expect(maskText('at 12:00 password=abc in db\nx: 1', [])).toBe(`at 12:00 password=${MASK} in db\nx: 1`);
    expect(maskText('a:\n  secret: >\n    x\n  b: 1\n', [])).toBe(
      `a:\n  secret: ${MASK}\n  b: 1\n`.replace(': «', ': «'),
    );
  });

  const name = fc.constantFrom(
    'password',
    'api_key',
    'HF_TOKEN',
    'model',
    'args',
    'authorization',
    'tokens',
    'x',
  );
  const scrap = fc.constantFrom(
    'password=',
    'token: ',
    '--api-key ',
    '"',
    "'",
    '\\',
    '\n',
    '{',
    '[',
    ']',
    ', ',
    '<token>',
    '</token>',
    '-----BEGIN PRIVATE KEY-----',
    'Cookie: ',
    'abc',
    '://',
    '?',
    'a@b',
  );
  const text = fc.array(fc.oneof(scrap, fc.string()), { maxLength: 8 }).map((parts) => parts.join(''));
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(name, tie('tree'), { maxKeys: 4 }),
    ),
  }));

  it('of JSON is JSON', () => {
    fc.assert(
      fc.property(tree, fc.boolean(), (value, isPretty) => {
        const json = JSON.stringify(value, null, isPretty ? 2 : 0);
        expect(() => JSON.parse(maskText(json, [])) as unknown).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('has no known secret, wherever and however it stands', () => {
    const secret = fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme' }).map((each) => each.trim());
    const written = fc.constantFrom<(secret: string) => string>(
      (each) => each,
      (each) => JSON.stringify({ a: each }),
      (each) => JSON.stringify(JSON.stringify([each])),
      (each) => encodeURIComponent(each),
      (each) => Buffer.from(each).toString('base64'),
    );
    fc.assert(
      fc.property(secret, written, text, text, (each, write, before, after) => {
        fc.pre(each.length >= 8 && !`${before}${after}${MASK}{"a":[\\`.includes(each));
        const masked = maskText(`${before} ${write(each)} ${after}`, [each]);
        expect(masked).not.toContain(each);
        expect(masked).not.toContain(Buffer.from(each).toString('base64'));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a name', () => {
  it.each([
    ...[
      'HF_TOKEN',
      'HUGGING_FACE_HUB_TOKEN',
      'VLLM_API_KEY',
      'apiKey',
      'AWS_SECRET_ACCESS_KEY',
      'TS_AUTHKEY',
    ],
    ...[
      'password',
      'DB_PASSWORD_1',
      'ssl-keyfile-password',
      'directKey',
      'Authorization',
      'X-Api-Key',
      'SetCredential',
    ],
    ...['HF_TOKEN_READ', '0HF_TOKEN', 'key', 'cookie', 'client_secret'],
  ])('%s is one of a secret', (name) => expect(isSecretName(name)).toBe(true));

  it.each([
    ...[
      'max_tokens',
      'tokenizer',
      'token_budget',
      'contextTokens',
      'eos_token_id',
      'prompt_token_ids',
      'LoadCredential',
    ],
    ...[
      'token-file',
      'HF_TOKEN_PATH',
      'hf_token_needed',
      'keyboard',
      'monkey',
      'author',
      'model',
      'passed',
      'certificateSha256',
      'PWD',
    ],
  ])('%s is none', (name) => expect(isSecretName(name)).toBe(false));
});
