import { describe, expect, it } from 'vitest';
import { presetNames } from './decide/presets.js';
import { parseFabricText } from './parse-fabric-text.js';
import { errorsOf } from './testing/fabric-texts.js';

const PRESETS = presetNames.join(', ');
const PRESETS_OR = presetNames.join(' or ');

const fileOf = (...fields: readonly string[]): string =>
  [
    'version: 1',
    'hosts: { armitage: {} }',
    'deployments:',
    ...fields.map((each, index) => `  a${index + 1}: { host: armitage, engine: vllm, ${each} }`),
  ].join('\n');

/** `[what, fields, message with the path below the deployment]` */
const mistakes: readonly (readonly [string, string, string])[] = [
  ['a container without a model', 'task: chat', `model: missing; expected it here, or a preset: ${PRESETS}`],
  [
    'a container without a task',
    'model: Qwen/Qwen3-4B',
    `task: missing; expected it here, or a preset: ${PRESETS}`,
  ],
  [
    'a misspelt preset',
    'preset: chat-fats',
    `preset: expected ${PRESETS_OR} (did you mean "chat-fast"?), found "chat-fats"`,
  ],
  [
    'a preset for another task',
    'preset: embeddings-general, task: chat',
    'task: expected embeddings, as the preset embeddings-general is for, found "chat"',
  ],
  [
    'a preset for a card that it knows nothing of',
    'preset: chat-fast, cardGigabytes: 10',
    'cardGigabytes: expected 8 or 12, found 10',
  ],
  ...[
    '--trust',
    'Qwen',
    '../etc/passwd',
    '/models/qwen',
    'Qwen/../x',
    'a/b/c',
    'a/--b',
    '$(id)/x',
    'a/b c',
  ].map(
    (model) =>
      [
        `the hostile model ${model}`,
        `task: chat, model: ${JSON.stringify(model)}`,
        `model: expected a Hugging Face model, "organisation/name", found ${JSON.stringify(model)}`,
      ] as const,
  ),
  ...['../x', '-x', 'a..b', 'a//b', 'main;id', '/main', 'a b'].map(
    (revision) =>
      [
        `the hostile revision ${revision}`,
        `preset: chat-fast, revision: ${JSON.stringify(revision)}`,
        `revision: expected a branch, tag or commit, such as "main", found ${JSON.stringify(revision)}`,
      ] as const,
  ),
  ...['vllm/vllm-openai', 'vllm/vllm-openai:', 'vllm/X:1', 'a/b@sha256:12', '-v:1', 'a b:1', 'a/../b:1'].map(
    (image) =>
      [
        `the image ${image}`,
        `preset: chat-fast, image: ${JSON.stringify(image)}`,
        `image: expected an image with a tag or a digest, such as vllm/vllm-openai:v0.11.0, found ${JSON.stringify(image)}`,
      ] as const,
  ),
  [
    'parking where the port is open',
    'preset: chat-fast, reach: direct, port: 8000, parkable: true',
    'parkable: expected false: parking opens paths of the engine that its key does not guard, so it needs reach: tunnel',
  ],
  [
    'an address of what is open nowhere',
    'preset: chat-fast, address: 192.168.1.20',
    'address: leave it out: with reach: tunnel nothing of it is open on the host',
  ],
  ...['http://x', 'x:8000', 'a b', '-x', 'x/../y', 'user@x', '[::1]'].map(
    (address) =>
      [
        `the hostile address ${address}`,
        `preset: chat-fast, reach: direct, port: 8000, address: ${JSON.stringify(address)}`,
        `address: expected an address or a name, such as 192.168.1.20, found ${JSON.stringify(address)}`,
      ] as const,
  ),
  [
    'an open port without its number',
    'preset: chat-fast, reach: direct',
    'port: missing; expected a port: with reach: direct it is open on the host',
  ],
  [
    'parked without being parkable',
    'preset: chat-fast, wish: parked',
    'wish: expected running or stopped: parked needs parkable: true',
  ],
  [
    'a fallback that says nothing',
    'preset: chat-fast, fallbacks: [{}]',
    'fallbacks[0]: expected contextTokens, maxConcurrent or gpuMemoryRatio, found a mapping',
  ],
  [
    'an argument that the agent sets',
    'preset: chat-fast, extraArguments: ["--max_model_len=9"]',
    'extraArguments[0]: the agent sets "--max_model_len" itself: declare "contextTokens" instead',
  ],
  [
    'a key as an argument',
    'preset: chat-fast, extraArguments: [--api-key, abc]',
    'extraArguments[0]: the agent sets "--api-key" itself: leave it out',
  ],
  [
    'a variable that the agent sets',
    'preset: chat-fast, environment: { VLLM_API_KEY: { env: KEY } }',
    'environment.VLLM_API_KEY: the agent sets "VLLM_API_KEY" itself: leave it out',
  ],
  [
    'a secret as a value',
    'preset: chat-fast, environment: { HF_TOKEN: { value: hf_abcdef } }',
    'environment.HF_TOKEN.value: it looks like a secret; expected { env: NAME } or { file: /absolute/path }, which are read on the host',
  ],
  [
    'a variable without a reference',
    'preset: chat-fast, environment: { HF_TOKEN: hf_abcdef }',
    'environment.HF_TOKEN: expected { env: NAME }, { file: /absolute/path } or { value: TEXT }',
  ],
  [
    'a card that is none',
    'preset: chat-fast, gpu: first',
    'gpu: expected "any", "none", the UUID of a card (GPU-…) or its index, found "first"',
  ],
  [
    'an address of a container',
    'preset: chat-fast, url: http://a:1',
    'url: "url" goes with engine: external',
  ],
  [
    'a misspelt key of a container',
    'preset: chat-fast, contextToken: 1',
    'contextToken: unknown key "contextToken"; did you mean "contextTokens"?',
  ],
  [
    'a memory share above all of it',
    'preset: chat-fast, gpuMemoryRatio: 1.2',
    'gpuMemoryRatio: expected at most 0.98, found 1.2',
  ],
];

describe('a deployment that the agent is to run', () => {
  it.each(mistakes)('with %s is told what is expected', (_, fields, message) => {
    const told = errorsOf(fileOf(fields)).split('\n');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^fabric\.yaml:4:\d+: deployments\.a1\./);
    expect(told[0]?.replace(/^fabric\.yaml:4:\d+: deployments\.a1\./, '')).toBe(message);
  });

  it.each([
    ['port', 'port: 8001', 'port 8001'],
    ['adopt', 'adopt: vllm-armitage', 'the container "vllm-armitage"'],
  ])('shares no %s with another on its host', (field, fields, what) => {
    const preset = `preset: chat-fast, ${fields}`;
    expect(errorsOf(fileOf(preset, preset))).toMatch(
      new RegExp(
        `^fabric\\.yaml:5:\\d+: deployments\\.a2\\.${field}: expected another: ${what} on host "armitage" is already that of "a1"$`,
      ),
    );
  });

  it.each([
    'http://armitage:8001',
    'http://armitage.lan:8001/',
    'http://127.0.0.1:8001',
    'http://localhost:8001',
  ])('takes no port from the external engine at %s', (url) => {
    const external = `  b: { host: armitage, engine: external, task: chat, url: "${url}", servedModel: q }`;
    expect(errorsOf(`${fileOf('preset: chat-fast, port: 8001')}\n${external}`)).toContain(
      'deployments.b.url: expected another: port 8001 on host "armitage" is already that of "a1"',
    );
    expect(errorsOf(`${fileOf('preset: chat-fast, port: 8002')}\n${external}`)).toBe('no error');
  });

  it.each(presetNames)('needs no more than the preset %s', (preset) => {
    for (const cardGigabytes of [8, 12]) {
      const read = parseFabricText(fileOf(`preset: ${preset}, cardGigabytes: ${cardGigabytes}`), 'f');
      expect(read.ok && read.state.deployments.get('a1')).toMatchObject({
        preset,
        servedModel: 'a1',
        reach: 'tunnel',
        wish: 'running',
        gpu: { select: 'any' },
      });
    }
  });

  it('says what it says before its preset does, and nothing of the preset for another model', () => {
    const read = parseFabricText(
      fileOf(
        'preset: chat-fast, contextTokens: 2048',
        'preset: chat-fast, contextTokens: null',
        'preset: chat-fast, model: Qwen/Qwen3-0.6B',
      ),
      'f',
    );
    if (!read.ok) throw new Error(JSON.stringify(read.errors));
    const { deployments } = read.state;
    expect(deployments.get('a1')).toMatchObject({ contextTokens: 2_048, maxConcurrent: 8 });
    expect(deployments.get('a2')).toMatchObject({ contextTokens: null });
    expect(deployments.get('a3')).toMatchObject({
      ...{ task: 'chat', quantization: null, contextTokens: null, maxConcurrent: 16, extraArguments: [] },
    });
  });
});
