import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseFabricText } from '../declared/parse-fabric-text.js';
import { importLitellm } from './import-litellm.js';
import { LITELLM_CONFIG } from './testing/litellm-config.js';

function imported(text: string) {
  const result = importLitellm(text, 'config.yaml');
  if (!result.ok) throw new Error(result.mistakes);
  const read = parseFabricText(result.fabric, 'fabric.yaml');
  if (!read.ok) throw new Error('what was made is not valid');
  return { ...result, state: read.state };
}

function models(...entries: readonly (readonly [group: string, params: object, info?: object])[]) {
  return entries.map(([model_name, litellm_params, model_info = {}]) => {
    return { model_name, litellm_params, model_info };
  });
}

const engine = (model: string, api_base = 'http://armitage:8000/v1') => ({
  model: `hosted_vllm/${model}`,
  api_base,
});

it('tells each name that clients of the proxy ask for, also one that no client can ask for here', () => {
  const text = stringify({
    model_list: models(
      ['qwen/Qwen2.5 7B', engine('q')],
      ['chat', engine('c')],
      ['openai/*', { model: 'openai/*' }],
    ),
    router_settings: { model_group_alias: { 'gpt-4': 'chat' } },
  });
  expect(imported(text).clientNames).toEqual(['qwen/Qwen2.5 7B', 'chat', 'gpt-4']);
});

describe('a realistic configuration of LiteLLM', () => {
  const { state, notes, fabric } = imported(LITELLM_CONFIG);

  it('becomes hosts, and deployments that groups share', () => {
    expect([...state.hosts.keys()].sort()).toEqual([
      'armitage',
      'host-192-168-1-20',
      'this-host',
      'wintermute',
    ]);
    expect(state.deployments.get('qwen2.5-7b-armitage')).toMatchObject({
      ...{ host: 'armitage', url: 'http://armitage:8000', servedModel: 'Qwen/Qwen2.5-7B-Instruct-AWQ' },
      listed: true,
    });
    expect(state.deployments.get('bge-base-en-v1.5-this-host')).toMatchObject({
      ...{ url: 'http://127.0.0.1:8001', task: 'embeddings', listed: false },
    });
    expect(state.deployments.size).toBe(4);
  });

  it('keeps each name that clients use', () => {
    const { roles, aliases, deployments, providers } = state;
    const clientNames = [
      ...roles.keys(),
      ...aliases.keys(),
      ...[...deployments.values()].filter(({ listed }) => listed).map(({ name }) => name),
      ...[...providers.values()].flatMap(({ name, models }) => [...models.keys()].map((m) => `${name}/${m}`)),
    ];
    expect(clientNames).toEqual(
      expect.arrayContaining([
        ...['chat-fast', 'qwen2.5-7b-armitage', 'local/embed', 'openai/strong', 'openai/cheap', 'claude'],
        ...['azure-gpt', 'small', 'local/chat', 'local/strong', 'gpt-4'],
      ]),
    );
  });

  it('puts fallbacks behind the own models of a role, and its longest timeout', () => {
    expect(state.roles.get('chat-fast')).toMatchObject({
      targets: [
        { deployment: 'qwen2.5-7b-armitage' },
        { deployment: 'meta-llama-3.1-8b-instruct-awq-int4-wintermute' },
        { provider: 'openai', model: 'cheap' },
      ],
      totalTimeoutSeconds: 600,
    });
    expect(state.roles.get('claude')).toMatchObject({ totalTimeoutSeconds: 900 });
  });

  it('carries keys over as references, and never as themselves', () => {
    expect(state.providers.get('openai')?.apiKey).toEqual({ env: 'OPENAI_API_KEY' });
    expect(state.providers.get('anthropic')?.apiKey).toEqual({ env: 'ANTHROPIC_API_KEY' });
    expect(fabric + JSON.stringify(notes)).not.toMatch(/sk-ant|Zm9vYmFy|litellm:secret/);
    expect(notes).toContainEqual({
      ...{ kind: 'review', line: 44, path: 'model_list[6].litellm_params.api_key' },
      message: expect.stringContaining('into the variable ANTHROPIC_API_KEY'),
    });
  });

  it.each([
    [10, 'model_list[0].litellm_params.rpm', 'limits belong to keys'],
    [36, 'model_list[5]', 'it is for chat, and the role for embeddings'],
    [51, 'model_list[8]', '"bedrock" has an API of its own'],
    [55, 'model_list[9]', 'is for audio_transcription'],
    [65, 'model_list[11]', 'names with "*" are not known here'],
    [76, 'router_settings.model_group_alias.round', 'leads to nothing'],
    [79, 'router_settings.fallbacks[0].chat-fast', 'nothing is carried over that is called "nova"'],
    [86, 'litellm_settings.context_window_fallbacks', 'one list of targets'],
    [91, 'general_settings.master_key', 'ai-fabric keys create'],
  ])('names what has no counterpart: line %i, %s', (line, path, message) => {
    expect(notes).toContainEqual({
      ...{ kind: 'no_counterpart', line, path },
      message: expect.stringContaining(message),
    });
  });

  it('has its reviews as comments where they belong', () => {
    expect(fabric).toMatch(/# review: the machine that LiteLLM ran on.*\n {2}this-host:/);
    expect(fabric).toMatch(/# review: Ollama.*\n {2}small:/);
  });
});

describe('a model of LiteLLM', () => {
  it('is a cloud where its address is in the internet, a host of the estate elsewhere', () => {
    const { state } = imported(
      stringify({
        model_list: models(
          ['a', { model: 'openai/m', api_base: 'https://llm.example.com/v1', api_key: 'os.environ/KEY' }],
          ['b', engine('m', 'http://100.101.102.103:8000')],
          ['c', engine('m', 'http://box.lan:8000/v1/')],
          ['d', { model: 'm', api_base: 'http://[fd7a::1]:8000' }],
        ),
      }),
    );
    expect(state.providers.get('example')).toMatchObject({ baseUrl: 'https://llm.example.com/v1' });
    expect([...state.hosts.keys()].sort()).toEqual(['box', 'host-100-101-102-103', 'host-fd7a-1']);
  });

  it('with one key is one provider, with another a second', () => {
    const { state } = imported(
      stringify({
        model_list: models(
          ['gpt', { model: 'openai/gpt', api_key: 'os.environ/ONE' }],
          ['gpt', { model: 'openai/gpt', api_key: 'os.environ/TWO' }],
          ['mini', { model: 'openai/mini', api_key: 'os.environ/ONE' }],
        ),
      }),
    );
    expect([...state.providers.values()].map(({ name, models }) => [name, [...models.keys()]])).toEqual([
      ['openai', ['mini', 'gpt']],
      ['openai-2', ['gpt']],
    ]);
  });

  it('takes an address from the variables of the file, and is left out where it is not known', () => {
    const { state, notes } = imported(
      stringify({
        environment_variables: { BASE: 'http://armitage:8000', UNUSED: 'x' },
        model_list: models(['a', engine('m', 'os.environ/BASE')], ['b', engine('m', 'os.environ/ELSEWHERE')]),
      }),
    );
    expect([...state.deployments.keys()]).toEqual(['a']);
    expect(notes).toMatchObject([
      { path: 'environment_variables.UNUSED', message: expect.stringContaining('nothing in this file') },
      { path: 'model_list[1]', message: expect.stringContaining('put the address in') },
    ]);
  });

  it('of embeddings is never joined by another one', () => {
    const { state, notes } = imported(
      stringify({
        model_list: models(['e', engine('bge-base')], ['e', engine('e5-base')]),
      }),
    );
    expect(state.roles.get('e')).toMatchObject({
      task: 'embeddings',
      targets: [{ deployment: 'bge-base-armitage' }],
    });
    expect(notes).toMatchObject([{ message: expect.stringContaining('would not match') }]);
  });
});

describe('a file that is no configuration of LiteLLM', () => {
  it.each([
    [
      'a fabric file',
      'version: 1',
      'config.yaml:1:1: (the whole file): expected the config.yaml of a LiteLLM proxy',
    ],
    ['no YAML', 'model_list:\n\t- a', 'config.yaml:2:1: (the whole file): no valid YAML: a tab'],
    [
      'a key given twice',
      'model_list: []\nmodel_list: []',
      'config.yaml:2:1: model_list: "model_list" is given twice',
    ],
  ])('%s is refused with its place', (_, text, told) => {
    const result = importLitellm(text, 'config.yaml');
    expect(result).toMatchObject({ ok: false, mistakes: expect.stringContaining(told) });
  });
});

describe('whatever a configuration of LiteLLM holds', () => {
  const name = fc.constantFrom(
    'chat',
    'Chat Fast',
    'local/chat',
    'openai/chat',
    'openai/gpt-4',
    'gpt-4',
    'ä',
    'x'.repeat(90),
    '1',
  );
  const entry = fc.record(
    {
      model_name: name,
      litellm_params: fc.record(
        {
          model: fc.constantFrom(
            'openai/gpt-4',
            'gpt-4',
            'hosted_vllm/Q/chat',
            'azure/x',
            'ollama/bge',
            'embed',
            'bedrock/y',
            'anthropic/Ü',
          ),
          api_base: fc.constantFrom(
            'http://armitage:8000/v1',
            'https://api.example.com/v1',
            'os.environ/X',
            'nonsense',
            'http://u:p@h/',
            'http://[::1]:1',
            'http://1.2.3.4',
          ),
          api_key: fc.constantFrom('os.environ/KEY', 'os.environ/lower', 'sk-secretsecret', ''),
          timeout: fc.constantFrom(1, 50, 1e9, -1, 'x'),
          stream_timeout: fc.constantFrom(5, 500),
          max_parallel_requests: fc.constantFrom(1, 0, 1e6),
        },
        { requiredKeys: [] },
      ),
      model_info: fc.record(
        { mode: fc.constantFrom('chat', 'embedding', 'rerank', 7) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['model_name'] },
  );
  const config = fc.record(
    {
      model_list: fc.array(fc.oneof({ weight: 9, arbitrary: entry }, fc.jsonValue()), { maxLength: 12 }),
      router_settings: fc.record(
        {
          model_group_alias: fc.dictionary(name, fc.oneof(name, fc.record({ model: name }))),
          fallbacks: fc.array(fc.dictionary(name, fc.array(name))),
          default_fallbacks: fc.array(name, { maxLength: 3 }),
        },
        { requiredKeys: [] },
      ),
      litellm_settings: fc.jsonValue(),
    },
    { requiredKeys: ['model_list'] },
  );

  it('what comes out is valid, holds no key, and is read again', () => {
    fc.assert(
      fc.property(config, (value) => {
        const text = stringify(value);
        // Refused by the reader of YAML, whoever asks.
        fc.pre(!text.includes('__proto__'));
        const result = importLitellm(text, 'config.yaml');
        return result.ok && !result.fabric.includes('secretsecret');
      }),
      { numRuns: 60 },
    );
  }, 30_000);
});
