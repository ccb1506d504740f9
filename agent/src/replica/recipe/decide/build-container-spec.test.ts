import { DEFAULT_AGENT_POLICY, type VllmReplica } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildContainerSpec, type ContainerFacts, specText } from './build-container-spec.js';
import { computeCapabilityOf } from './container-arguments.js';

const desired: VllmReplica = {
  ...{ deployment: 'qwen', task: 'chat', engine: 'vllm', servedModel: 'qwen', model: 'Qwen/Qwen3-4B-AWQ' },
  ...{ revision: null, image: 'vllm/vllm-openai:v0.32.0', quantization: null, contextTokens: 8_192 },
  ...{ maxConcurrent: 4, gpuMemoryRatio: null, extraArguments: [], environment: {}, gpu: { select: 'any' } },
  ...{ readyWithinSeconds: 900, drainWithinSeconds: 120, reach: 'tunnel', port: null, parkable: false },
  ...{ wish: 'running', restartCount: 0, adopt: null, fallbacks: [] },
};
const facts: ContainerFacts = {
  ...{
    hostId: 'host-1',
    specHash: 'abc',
    cards: ['GPU-1'],
    openAddress: '127.0.0.1',
    port: 40_001,
    key: 'engine-key',
    environment: {},
  },
  ...{ cacheIsComplete: false, securityLabels: false, computeCapability: 8.9, gpuMemoryRatio: 0.85 },
};
const build = (more: Partial<VllmReplica> = {}, moreFacts: Partial<ContainerFacts> = {}, policy = {}) =>
  buildContainerSpec(
    { ...desired, ...more },
    { ...facts, ...moreFacts },
    { ...DEFAULT_AGENT_POLICY, ...policy },
  );
const text = (replica: VllmReplica, openAddress = '192.168.1.20') => specText(replica, openAddress);
/** What stands behind an option; `null` where it is not there. */
const said = (command: readonly string[], option: string) => {
  const at = command.indexOf(option);
  return at < 0 ? null : (command[at + 1] ?? null);
};

describe('the container of a declaration', () => {
  it('is made of what is declared, and of our own', () => {
    expect(build()).toEqual({
      name: 'ai-fabric-qwen',
      image: 'vllm/vllm-openai:v0.32.0',
      command: [
        ...[
          '--model',
          'Qwen/Qwen3-4B-AWQ',
          '--served-model-name',
          'qwen',
          '--host',
          '0.0.0.0',
          '--port',
          '8000',
        ],
        ...['--max-model-len', '8192', '--max-num-seqs', '4', '--gpu-memory-utilization', '0.85'],
        ...['--load-format', 'safetensors'],
      ],
      environment: { VLLM_API_KEY: 'engine-key' },
      labels: {
        'io.ai-fabric.deployment': 'qwen',
        'io.ai-fabric.spec': 'abc',
        'io.ai-fabric.host': 'host-1',
        'io.ai-fabric.container-port': '8000',
        'io.ai-fabric.offline': 'false',
      },
      gpus: { uuids: ['GPU-1'] },
      publish: [{ hostAddress: '127.0.0.1', hostPort: 40_001, containerPort: 8_000 }],
      volumes: [
        { volume: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' },
        { volume: 'ai-fabric-vllm', path: '/root/.cache/vllm' },
      ],
      shmBytes: 4 * 1024 ** 3,
      memoryLimitBytes: null,
      securityLabelDisable: false,
    });
  });

  it.each<[string, Partial<VllmReplica>, string, string | null]>([
    ['a revision', { revision: 'refs/pr/3' }, '--revision', 'refs/pr/3'],
    ['the tokenizer’s revision', { revision: 'main' }, '--tokenizer-revision', 'main'],
    ['no revision', {}, '--revision', null],
    ['a quantisation', { quantization: 'awq' }, '--quantization', 'awq'],
    ['no quantisation', {}, '--quantization', null],
    ['no context', { contextTokens: null }, '--max-model-len', null],
    ['embeddings', { task: 'embeddings' }, '--runner', 'pooling'],
    ['rerank', { task: 'rerank' }, '--runner', 'pooling'],
    ['chat', {}, '--runner', null],
    ['transcription', { task: 'transcription' }, '--runner', null],
    ['no card', { gpu: { select: 'none' } }, '--gpu-memory-utilization', null],
    ['an argument', { extraArguments: ['--kv-cache-dtype', 'fp8'] }, '--kv-cache-dtype', 'fp8'],
    ['a load format', { extraArguments: ['--load-format', 'gguf'] }, '--load-format', 'gguf'],
  ])('with %s', (_, more, option, value) => {
    expect(said(build(more).command, option)).toBe(value);
  });

  it.each<[string, number | null, readonly string[], string | null]>([
    ['Turing', 7.5, [], 'half'],
    ['Volta', 7, [], 'half'],
    ['Ampere', 8.6, [], null],
    ['Ada', 8.9, [], null],
    ['a card that is not known', null, [], null],
    ['Turing, told otherwise', 7.5, ['--dtype', 'float32'], 'float32'],
    ['Turing, told otherwise in one word', 7.5, ['--dtype=float32'], null],
  ])('on %s', (_, computeCapability, extraArguments, dtype) => {
    const { command } = build({ extraArguments: [...extraArguments] }, { computeCapability });
    expect(said(command, '--dtype')).toBe(dtype);
    expect(command.filter((each) => each.startsWith('--dtype')).length).toBeLessThanOrEqual(1);
  });

  it.each<[Partial<VllmReplica>, boolean]>([
    [{ parkable: true }, true],
    [{ parkable: false }, false],
    [{ parkable: true, reach: 'direct', port: 8_000 }, false],
    [{ parkable: true, gpu: { select: 'none' } }, false],
  ])('with %j has sleep mode: %s', (more, expected) => {
    const { command, environment } = build(more);
    expect(command.includes('--enable-sleep-mode')).toBe(expected);
    expect(environment['VLLM_SERVER_DEV_MODE']).toBe(expected ? '1' : undefined);
  });

  it('is open at the address that was chosen for it, and there alone', () => {
    const open = { port: 8_000, openAddress: '192.168.1.20' };
    expect(build({ reach: 'direct', port: 8_000 }, open).publish).toEqual([
      { hostAddress: '192.168.1.20', hostPort: 8_000, containerPort: 8_000 },
    ]);
  });

  it('takes the owner’s limits, and reads pickle only where the owner says so', () => {
    expect(build({}, {}, { memoryLimitGigabytes: 1.5 }).memoryLimitBytes).toBe(1_500_000_000);
    expect(said(build({}, {}, { pickle: true }).command, '--load-format')).toBeNull();
  });

  it('asks no hub where its cache is whole', () => {
    expect(build({}, { cacheIsComplete: true }).environment['HF_HUB_OFFLINE']).toBe('1');
    expect(build().environment['HF_HUB_OFFLINE']).toBeUndefined();
  });

  it('gives its variables to the container, and none of them in the place of ours', () => {
    const environment = { HF_TOKEN: 't', VLLM_API_KEY: 'theirs' };
    expect(build({}, { environment }).environment).toEqual({ HF_TOKEN: 't', VLLM_API_KEY: 'engine-key' });
  });

  it('is freed of SELinux only for a card', () => {
    expect(build({}, { securityLabels: true }).securityLabelDisable).toBe(true);
    expect(build({ gpu: { select: 'none' } }, { securityLabels: true })).toMatchObject({
      securityLabelDisable: false,
      gpus: 'none',
    });
  });

  it('has no way to ask for more of the host than our two caches and one port, and shows no secret in its arguments', () => {
    const argument = fc.oneof(
      fc.constantFrom(
        '--privileged',
        '-v',
        '/:/host',
        '--network=host',
        '--pid=host',
        '--cap-add=ALL',
        ';',
        '$(id)',
      ),
      fc.string({ minLength: 1, maxLength: 40 }),
    );
    fc.assert(
      fc.property(
        fc.array(argument, { maxLength: 8 }),
        fc.string({ minLength: 8 }),
        (extraArguments, secret) => {
          const spec = build(
            { extraArguments },
            { environment: { HF_TOKEN: `s-${secret}` }, key: `k-${secret}` },
          );
          expect(Object.keys(spec).sort()).toEqual(FIELDS);
          expect(spec.volumes.map(({ volume }) => volume)).toEqual([
            'ai-fabric-huggingface',
            'ai-fabric-vllm',
          ]);
          expect(spec.publish).toHaveLength(1);
          // Whatever it says, an argument stays one element of the engine's own list, behind all of ours.
          expect(spec.command.slice(spec.command.length - extraArguments.length)).toEqual(extraArguments);
          expect(spec.command).not.toContain(`k-${secret}`);
          expect(spec.command).not.toContain(`s-${secret}`);
        },
      ),
    );
  });
});

const FIELDS = [
  ...['command', 'environment', 'gpus', 'image', 'labels', 'memoryLimitBytes', 'name', 'publish'],
  ...['securityLabelDisable', 'shmBytes', 'volumes'],
];

describe('what a container is made from', () => {
  const unchanged: Partial<VllmReplica>[] = [
    { wish: 'stopped' },
    { wish: 'parked' },
    { restartCount: 4 },
    { readyWithinSeconds: 5 },
    { drainWithinSeconds: 5 },
    { adopt: 'vllm-x' },
    { fallbacks: [{ maxConcurrent: 1 }] },
  ];
  it.each(unchanged)('is the same with %j', (more) => {
    expect(text({ ...desired, ...more })).toBe(text(desired));
  });

  const changed: Partial<VllmReplica>[] = [
    { deployment: 'other' },
    { task: 'embeddings' },
    { servedModel: 'other' },
    { model: 'Qwen/Qwen3-8B' },
    { revision: 'main' },
    { image: 'vllm/vllm-openai:v0.33.0' },
    { quantization: 'awq' },
    { contextTokens: 4_096 },
    { maxConcurrent: 5 },
    { gpuMemoryRatio: 0.5 },
    { extraArguments: ['--enforce-eager'] },
    { environment: { HF_TOKEN: { env: 'HF_TOKEN' } } },
    { gpu: { select: 'index', index: 0 } },
    { gpu: { select: 'none' } },
    { reach: 'direct' },
    { port: 8_001 },
    { parkable: true },
  ];
  it.each(changed)('is another with %j', (more) => {
    expect(text({ ...desired, ...more })).not.toBe(text(desired));
  });

  it('is another with another address, where it is reached directly', () => {
    const direct: VllmReplica = { ...desired, reach: 'direct', port: 8_000 };
    expect(text(direct, '192.168.1.21')).not.toBe(text(direct));
    expect(text(desired, '192.168.1.21')).toBe(text(desired));
  });

  it('does not depend on the order of keys, and does on that of arguments', () => {
    const reversed = Object.fromEntries(Object.entries(desired).reverse()) as VllmReplica;
    expect(text(reversed)).toBe(text(desired));
    const environment = { A: { value: '1' }, B: { value: '2' } };
    const turned = { B: { value: '2' }, A: { value: '1' } };
    expect(text({ ...desired, environment })).toBe(text({ ...desired, environment: turned }));
    expect(text({ ...desired, extraArguments: ['a', 'b'] })).not.toBe(
      text({ ...desired, extraArguments: ['b', 'a'] }),
    );
  });
});

describe('the compute capability of a card, by its name', () => {
  it.each<[string, number | null]>([
    ['NVIDIA GeForce RTX 2080', 7.5],
    ['NVIDIA GeForce RTX 2060 SUPER', 7.5],
    ['GeForce GTX 1660 Ti', 7.5],
    ['NVIDIA T4', 7.5],
    ['Tesla T4', 7.5],
    ['Quadro RTX 5000', 7.5],
    ['Quadro RTX 3000', 7.5],
    ['NVIDIA TITAN RTX', 7.5],
    ['Tesla V100-SXM2-16GB', 7],
    ['NVIDIA GeForce GTX 1080', 6.1],
    ['NVIDIA GeForce RTX 3060', 8.6],
    ['NVIDIA RTX A4000', 8.6],
    ['NVIDIA A10', 8.6],
    ['NVIDIA A100-SXM4-80GB', 8],
    ['NVIDIA GeForce RTX 4070', 8.9],
    ['NVIDIA GeForce RTX 4070 SUPER', 8.9],
    ['NVIDIA GeForce RTX 4070 Laptop GPU', 8.9],
    ['NVIDIA RTX 4000 Ada Generation', 8.9],
    ['NVIDIA L40S', 8.9],
    ['NVIDIA H100 80GB HBM3', 9],
    ['NVIDIA GeForce RTX 5090', 12],
    ['Some Card', null],
    ['', null],
  ])('%s: %s', (name, capability) => {
    expect(computeCapabilityOf(name)).toBe(capability);
  });
});
