import { describe, expect, it } from 'vitest';
import { errorsOf, withLine } from './testing/fabric-texts.js';

const KEY_RULE =
  'expected { env: NAME }, { file: /absolute/path }, { credential: NAME } or { azureKeyVault: { vault, secret } }: ' +
  'the key itself never stands in this file; ' +
  'put it into an environment variable or a file of its own (and replace it, if it was shared with this one)';

describe('a key that stands in a fabric file itself', () => {
  const SECRET = 'sk-proj-Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA';
  const providerWith = (apiKey: string) =>
    withLine(
      9,
      `  openai: { baseUrl: https://api.openai.com/v1, ${apiKey}, models: { cheap: { model: mini } } }`,
    );

  it.each([
    ['as text', `apiKey: ${SECRET}`, `9:57: providers.openai.apiKey: ${KEY_RULE}`],
    ['as an unknown field', `apiKey: { value: ${SECRET} }`, `9:57: providers.openai.apiKey: ${KEY_RULE}`],
    ['as a name', `apiKey: { ${SECRET} }`, `9:57: providers.openai.apiKey: ${KEY_RULE}`],
    [
      'as the name of a variable',
      `apiKey: { env: ${SECRET} }`,
      '9:64: providers.openai.apiKey.env: expected the name of an environment variable, in upper case; the key itself never stands in this file',
    ],
    [
      'as the name of a file',
      `apiKey: { file: ${SECRET} }`,
      '9:65: providers.openai.apiKey.file: expected the absolute path of a file; the key itself never stands in this file',
    ],
    [
      'under another name',
      `api_key: ${SECRET}`,
      '9:49: providers.openai.api_key: unknown key "api_key"; did you mean "apiKey"?',
    ],
    [
      'as a field of the provider',
      `${SECRET}: x`,
      '9:49: providers.openai[not shown]: unknown key (not shown: it looks like a secret); known: baseUrl, apiKey, endpoints, models',
    ],
  ])('%s is refused and not repeated', (_, apiKey, error) => {
    const errors = errorsOf(providerWith(apiKey));
    expect(errors).not.toContain(SECRET.slice(3));
    expect(errors).toContain(`fabric.yaml:${error}`);
  });

  it.each([
    ['in an address', `baseUrl: https://me:${SECRET}@api.example.net/v1`],
    ['in a query', `baseUrl: https://api.example.net/v1?key=${SECRET}`],
    ['where YAML breaks', `baseUrl: x: ${SECRET}`],
    ['as a model', `models: { cheap: ${SECRET} }`],
    ['as a reference', `apiKey: *${SECRET}`],
    ['as a tag', `apiKey: !${SECRET}`],
  ])('%s is refused and not repeated', (_, field) => {
    const errors = errorsOf(withLine(9, `  other: { ${field} }`));
    expect(errors).toMatch(/^fabric\.yaml:9:/m);
    expect(errors).not.toContain(SECRET.slice(3));
  });
});
