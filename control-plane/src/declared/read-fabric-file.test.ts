import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fabricJsonSchema } from './fabric-json-schema.js';
import { formatFabricErrors, parseFabricText } from './parse-fabric-text.js';
import { readFabricFile } from './read-fabric-file.js';

const repository = new URL('../../../', import.meta.url);
const example = fileURLToPath(new URL('docs/examples/miket/fabric.yaml', repository));

describe('the example estate', () => {
  it('lists exactly the ten names of the estate that it replaces', () => {
    const result = readFabricFile(example);
    if (!result.ok) throw new Error(formatFabricErrors(result));
    const { roles, aliases, deployments, providers } = result.state;
    const listed = [
      ...roles.keys(),
      ...aliases.keys(),
      ...[...deployments.values()].filter((each) => each.listed).map((each) => each.name),
      ...[...providers.values()].flatMap(({ name, models }) =>
        [...models.keys()].map((model) => `${name}/${model}`),
      ),
    ];
    expect(listed.toSorted()).toEqual(
      [
        'chat-fast',
        'chat-deep',
        'embeddings-general',
        'local/chat',
        'local/reasoner',
        'local/embed',
        'qwen2.5-7b-armitage',
        'llama31-8b-wintermute',
        'openai/strong',
        'openai/cheap',
      ].toSorted(),
    );
  });
});

describe('the published JSON Schema', () => {
  const committed = JSON.parse(readFileSync(new URL('docs/schema/fabric.schema.json', repository), 'utf8'));

  it('is the one that the program has (else: npm run schema in control-plane)', () => {
    expect(committed).toEqual(fabricJsonSchema());
  });

  it('takes a small estate and refuses an unknown field', () => {
    const schema = z.fromJSONSchema(committed);
    expect(schema.safeParse({ version: 1, hosts: { motoko: {} } }).success).toBe(true);
    expect(schema.safeParse({ version: 1, hosts: { motoko: { mayBeAwy: true } } }).success).toBe(false);
  });
});

describe('an address is judged alike by the published schema and the program', () => {
  const schema = z.fromJSONSchema(
    JSON.parse(readFileSync(new URL('docs/schema/fabric.schema.json', repository), 'utf8')),
  );
  const deployment = (url: string) => ({
    version: 1,
    hosts: { armitage: {} },
    deployments: {
      qwen: { host: 'armitage', task: 'chat', engine: 'external', url, servedModel: 'qwen' },
    },
  });
  const provider = (baseUrl: string) => ({
    version: 1,
    providers: { openai: { baseUrl, models: { strong: { model: 'gpt' } } } },
  });
  const verdicts = (file: unknown) => ({
    schema: schema.safeParse(file).success,
    program: parseFabricText(JSON.stringify(file), 'fabric.yaml').ok,
  });
  const taken = { schema: true, program: true };
  const refused = { schema: false, program: false };

  it.each([
    'http://armitage:8000',
    'HTTPS://armitage',
    'http://10.0.0.7:8000/',
    'http://[fd00::7]:8000/engine',
    'http://armitage/v1/engine',
    'http://armitage/a@b',
  ])('%s is taken', (address) => {
    expect(verdicts(deployment(address))).toEqual(taken);
    expect(verdicts(provider(address))).toEqual(taken);
  });

  it.each([
    'armitage:8000',
    'armitage',
    '',
    'ftp://armitage',
    ' http://armitage',
    'http://',
    'http:armitage',
    'http://user:word@armitage',
    'http://armitage?key=x',
    'http://armitage/#x',
    'http://armitage:8000:1',
    'http://arm itage',
  ])('"%s" is refused', (address) => {
    expect(verdicts(deployment(address))).toEqual(refused);
    expect(verdicts(provider(address))).toEqual(refused);
  });

  it.each(['http://armitage/v1', 'http://armitage:8000/v1/', 'http://armitage/engine/v1'])(
    '%s is one of a provider, not of an engine',
    (address) => {
      expect(verdicts(deployment(address))).toEqual(refused);
      expect(verdicts(provider(address))).toEqual(taken);
    },
  );
});

describe('a fabric file that cannot be read', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'fabric-file-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function errorsOf(name: string, content?: string | Buffer): string {
    const file = join(directory, name);
    if (content !== undefined) writeFileSync(file, content);
    const result = readFabricFile(file);
    return result.ok ? 'no error' : formatFabricErrors(result).replace(directory, '');
  }

  it('is told as missing, as a directory, as too large or as not UTF-8', () => {
    expect(errorsOf('none.yaml')).toContain('none.yaml:1:1: (the whole file): there is no such file');
    expect(errorsOf('.')).toContain('expected a file; this is a directory or a device');
    expect(errorsOf('big.yaml', Buffer.alloc(1024 * 1024 + 1, '#'))).toContain(
      'expected at most 1048576 bytes',
    );
    expect(errorsOf('latin.yaml', Buffer.from('version: 1 # \xe9', 'latin1'))).toContain(
      'expected UTF-8 text',
    );
    expect(errorsOf('utf16.yaml', Buffer.from('\uFEFFversion: 1', 'utf16le'))).toContain(
      'expected UTF-8 text',
    );
    expect(errorsOf('nul.yaml', 'version: 1\0')).toContain('expected UTF-8 text');
  });

  it('is read when a byte order mark stands first', () => {
    expect(errorsOf('bom.yaml', '\uFEFFversion: 1\n')).toBe('no error');
  });
});
