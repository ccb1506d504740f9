import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AgentPolicyInput,
  agentPolicySchema,
  DEFAULT_AGENT_POLICY,
  DEFAULT_ALLOWED_ARGUMENTS,
  powerVerbSchema,
  tellPolicy,
  type UpgradeMode,
} from '../domain/agent-policy.js';
import type { VllmReplica } from '../domain/vllm-replica.js';
import { judgePolicy, judgePowerVerb, judgeUpgrade, type PolicyRule } from './judge-policy.js';

const desired: VllmReplica = {
  ...{ deployment: 'qwen', task: 'chat', engine: 'vllm', servedModel: 'qwen', model: 'Qwen/Qwen3-4B-AWQ' },
  ...{ revision: null, image: 'vllm/vllm-openai:v0.32.0', quantization: 'awq', contextTokens: 8_192 },
  ...{ maxConcurrent: 4, gpuMemoryRatio: null, extraArguments: [], environment: {}, gpu: { select: 'any' } },
  ...{ readyWithinSeconds: 900, drainWithinSeconds: 120, reach: 'tunnel', port: null, parkable: false },
  ...{ wish: 'running', restartCount: 0, adopt: null, fallbacks: [] },
};
const policyOf = (more: Partial<AgentPolicyInput>) => agentPolicySchema.parse({ version: 1, ...more });
const ruleOf = (
  more: Partial<VllmReplica>,
  policy: Partial<AgentPolicyInput> = {},
): PolicyRule | 'allowed' => {
  const verdict = judgePolicy({ ...desired, ...more }, policyOf(policy));
  return verdict.allowed ? 'allowed' : verdict.rule;
};
const digest = `@sha256:${'0'.repeat(64)}`;

describe('an image', () => {
  it.each<[string, PolicyRule | 'allowed']>([
    ['vllm/vllm-openai:v0.32.0', 'allowed'],
    [`vllm/vllm-openai${digest}`, 'allowed'],
    [`vllm/vllm-openai:v1${digest}`, 'allowed'],
    ['docker.io/vllm/vllm-openai:v1', 'allowed'],
    ['index.docker.io/vllm/vllm-openai:v1', 'allowed'],
    ['registry-1.docker.io/vllm/vllm-openai:v1', 'allowed'],
    ['evil/vllm-openai:v1', 'images'],
    ['vllm/vllm-openai-evil:v1', 'images'],
    ['vllm/vllm:v1', 'images'],
    ['evil.example/vllm/vllm-openai:v1', 'images'],
    ['evil.example:5000/vllm/vllm-openai:v1', 'images'],
    ['localhost/vllm/vllm-openai:v1', 'images'],
    ['localhost:5000/vllm/vllm-openai:v1', 'images'],
    ['docker.io.evil.example/vllm/vllm-openai:v1', 'images'],
    ['vllm/vllm-openai/evil:v1', 'images'],
  ])('%s: %s', (image, rule) => {
    expect(ruleOf({ image })).toBe(rule);
  });

  it.each<[readonly string[], string, PolicyRule | 'allowed']>([
    [['vllm/*'], 'vllm/vllm-nightly:1', 'allowed'],
    [['vllm/*'], 'vllmx/y:1', 'images'],
    [['localhost:5000/*'], 'localhost:5000/vllm:1', 'allowed'],
    [['localhost:5000/*'], 'localhost:5001/vllm:1', 'images'],
    [['ghcr.io/me/vllm'], 'ghcr.io/me/vllm:1', 'allowed'],
    [['ghcr.io/me/vllm'], 'me/vllm:1', 'images'],
    [['*'], 'anything.example/x:1', 'allowed'],
    [[], 'vllm/vllm-openai:1', 'images'],
  ])('where %j are allowed: %s: %s', (images, image, rule) => {
    expect(ruleOf({ image }, { images: [...images] })).toBe(rule);
  });

  it('is named by its digest where that is required', () => {
    expect(ruleOf({}, { requireDigest: true })).toBe('requireDigest');
    expect(ruleOf({ image: `vllm/vllm-openai${digest}` }, { requireDigest: true })).toBe('allowed');
  });
});

describe('a model', () => {
  it.each<[readonly string[], string, PolicyRule | 'allowed']>([
    [['*'], 'any/thing', 'allowed'],
    [['Qwen/*'], 'Qwen/Qwen3-4B', 'allowed'],
    [['Qwen/*'], 'qwen/Qwen3-4B', 'allowed'],
    [['Qwen/*'], 'QwenX/Qwen3-4B', 'models'],
    [['Qwen/Qwen3-4B'], 'Qwen/Qwen3-4B', 'allowed'],
    [['Qwen/Qwen3-4B'], 'Qwen/Qwen3-4B-AWQ', 'models'],
    [[], 'Qwen/Qwen3-4B', 'models'],
  ])('where %j are allowed: %s: %s', (models, model, rule) => {
    expect(ruleOf({ model }, { models: [...models] })).toBe(rule);
  });
});

describe('arguments', () => {
  const flags = DEFAULT_ALLOWED_ARGUMENTS.filter((each) => !each.endsWith('='));
  const options = DEFAULT_ALLOWED_ARGUMENTS.filter((each) => each.endsWith('=')).map((each) =>
    each.slice(0, -1),
  );

  it.each(flags)('%s is a flag and no more', (flag) => {
    expect(ruleOf({ extraArguments: [flag] })).toBe('allowed');
    expect(ruleOf({ extraArguments: [flag.replaceAll('-', '_').replace('__', '--')] })).toBe('allowed');
    expect(ruleOf({ extraArguments: [`${flag}=1`] })).toBe('arguments');
    expect(ruleOf({ extraArguments: [flag, 'evil/model'] })).toBe('arguments');
  });

  it.each(options)('%s takes one plain value', (option) => {
    expect(ruleOf({ extraArguments: [option, 'word'] })).toBe('allowed');
    expect(ruleOf({ extraArguments: [`${option}=word`] })).toBe('allowed');
    expect(ruleOf({ extraArguments: [option, '{"image":1}'] })).toBe('allowed');
    expect(ruleOf({ extraArguments: [option] })).toBe('arguments');
    expect(ruleOf({ extraArguments: [option, 'a', 'b'] })).toBe('arguments');
    for (const value of [
      '/etc/passwd',
      '../x',
      'http://evil.example/x',
      '--trust-remote-code',
      '',
      ' ',
      '{"a":"/x"}',
    ]) {
      expect(ruleOf({ extraArguments: [option, value] })).toBe('arguments');
    }
  });

  it.each<[readonly string[], PolicyRule]>([
    [['--trust-remote-code'], 'trustRemoteCode'],
    [['--trust_remote_code'], 'trustRemoteCode'],
    [['--TRUST-REMOTE-CODE'], 'trustRemoteCode'],
    [['--trust-remote-code=true'], 'trustRemoteCode'],
    [['--enforce-eager', '--trust-remote-code'], 'trustRemoteCode'],
    [['--trust-remote'], 'arguments'],
    [['--tool-parser-plugin', '/x.py'], 'plugins'],
    [['--tool_parser_plugin=/x.py'], 'plugins'],
    [['--reasoning-parser-plugin', 'x'], 'plugins'],
    [['--middleware', 'os.system'], 'plugins'],
    [['--logits-processors', 'x'], 'plugins'],
    [['--worker-cls', 'x'], 'plugins'],
    [['--worker-extension-cls', 'x'], 'plugins'],
    [['--scheduler-cls', 'x'], 'plugins'],
    [['--kv-transfer-config', '{}'], 'plugins'],
    [['--kv-transfer-config.kv_connector', 'x'], 'plugins'],
    [['--speculative-config', '{}'], 'plugins'],
    [['--load-format', 'pt'], 'pickle'],
    [['--load-format=pt'], 'pickle'],
    [['--load_format', 'auto'], 'pickle'],
    [['--load-format', 'npcache'], 'pickle'],
    [['--load-format', 'tensorizer'], 'pickle'],
    [['--load-format', 'runai_streamer'], 'pickle'],
    [['--load-format'], 'arguments'],
    [['--allowed-local-media-path', '/'], 'arguments'],
    [['--download-dir', '/'], 'arguments'],
    [['--chat-template', '/x'], 'arguments'],
    [['--hf-overrides', '{}'], 'arguments'],
    [['--tokenizer', 'evil/x'], 'arguments'],
    [['--otlp-traces-endpoint', 'http://x'], 'arguments'],
    [['--api-key', 'x'], 'arguments'],
    [['--host', '0.0.0.0'], 'arguments'],
    [['--port=1'], 'arguments'],
    [['--model', 'x'], 'arguments'],
    [['--config', 'x'], 'arguments'],
    [['-q', 'awq'], 'arguments'],
    [['-O3'], 'arguments'],
    [['evil/model'], 'arguments'],
    [['--'], 'arguments'],
    [['-'], 'arguments'],
    [['--enforce-eager.x'], 'arguments'],
  ])('%j are refused: %s', (extraArguments, rule) => {
    expect(ruleOf({ extraArguments: [...extraArguments] })).toBe(rule);
  });

  it.each<[readonly string[], Partial<AgentPolicyInput>, PolicyRule | 'allowed']>([
    [['--trust-remote-code'], { trustRemoteCode: true }, 'allowed'],
    [['--trust-remote-code', 'evil/x'], { trustRemoteCode: true }, 'arguments'],
    [['--load-format', 'pt'], { pickle: true }, 'allowed'],
    [['--load-format', 'safetensors'], {}, 'allowed'],
    [['--middleware', 'x'], { plugins: true }, 'arguments'],
    [['--middleware', 'a.b'], { plugins: true, moreArguments: ['--middleware='] }, 'allowed'],
    [['--middleware', 'a.b'], { moreArguments: ['--middleware='] }, 'plugins'],
    [['--chat-template', '/t.jinja'], { moreArguments: ['--chat-template='] }, 'allowed'],
    [['--enforce-eager'], { arguments: [] }, 'arguments'],
    [['--enforce-eager'], { arguments: ['--enforce-eager'] }, 'allowed'],
    [['--api-key', 'x'], { moreArguments: ['--api-key='] }, 'arguments'],
  ])('%j under %j: %s', (extraArguments, policy, rule) => {
    expect(ruleOf({ extraArguments: [...extraArguments] }, policy)).toBe(rule);
  });

  it('of whatever kind never get past the allow-list', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '--trust-remote-code',
        '--middleware',
        '--load-format',
        '--model',
        '--enforce-eager',
        '--dtype',
        'half',
      ),
      fc.string({ minLength: 1, maxLength: 30 }),
      fc.string({ maxLength: 20 }).map((text) => `--${text}`),
    );
    const names = new Set(DEFAULT_ALLOWED_ARGUMENTS.map((each) => each.replace('=', '')));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (extraArguments) => {
        if (ruleOf({ extraArguments }) !== 'allowed') return true;
        return extraArguments
          .filter((each) => each.startsWith('--'))
          .every((each) => {
            const name = (each.split('=')[0] ?? '').replaceAll('_', '-');
            return names.has(name) || name === '--load-format';
          });
      }),
      { numRuns: 500 },
    );
  });
});

describe('the environment', () => {
  it.each<[string, object, PolicyRule | 'allowed']>([
    ['HF_TOKEN', { env: 'HF_TOKEN' }, 'allowed'],
    ['HF_TOKEN', { env: 'AWS_SECRET_ACCESS_KEY' }, 'hostVariables'],
    ['HF_TOKEN', { file: '/etc/shadow' }, 'hostFiles'],
    ['HF_TOKEN', { file: '/etc/ai-fabric/hf-token' }, 'hostFiles'],
    ['VLLM_LOGGING_LEVEL', { value: 'DEBUG' }, 'allowed'],
    ['VLLM_API_KEY', { value: 'x' }, 'environment'],
    ['vllm_api_key', { value: 'x' }, 'environment'],
    ['VLLM_SERVER_DEV_MODE', { value: '1' }, 'environment'],
    ['CUDA_VISIBLE_DEVICES', { value: '0' }, 'environment'],
    ['HF_ENDPOINT', { value: 'x' }, 'environment'],
    ['http_proxy', { value: 'x' }, 'environment'],
    ['PATH', { value: 'x' }, 'environment'],
    ['LD_PRELOAD', { value: 'x' }, 'plugins'],
    ['PYTHONPATH', { value: 'x' }, 'plugins'],
    ['VLLM_PLUGINS', { value: 'x' }, 'plugins'],
    ['hf_token', { env: 'HF_TOKEN' }, 'environment'],
  ])('%s as %j: %s', (name, value, rule) => {
    expect(ruleOf({ environment: { [name]: value } as VllmReplica['environment'] })).toBe(rule);
  });

  it.each<[string, object, Partial<AgentPolicyInput>, PolicyRule | 'allowed']>([
    ['HF_TOKEN', { file: '/etc/t' }, { hostFiles: ['/etc/t'] }, 'allowed'],
    ['HF_TOKEN', { file: '/etc/t/../shadow' }, { hostFiles: ['/etc/t'] }, 'hostFiles'],
    ['HF_TOKEN', { env: 'MY_TOKEN' }, { hostVariables: ['MY_TOKEN'] }, 'allowed'],
    ['HF_TOKEN', { env: 'HF_TOKEN' }, { hostVariables: [] }, 'hostVariables'],
    ['HF_ENDPOINT', { value: 'x' }, { environment: ['HF_ENDPOINT'] }, 'allowed'],
    ['VLLM_API_KEY', { value: 'x' }, { environment: ['VLLM_API_KEY'] }, 'environment'],
    ['VLLM_PLUGINS', { value: 'x' }, { environment: ['VLLM_PLUGINS'] }, 'plugins'],
    ['VLLM_PLUGINS', { value: 'x' }, { environment: ['VLLM_PLUGINS'], plugins: true }, 'allowed'],
  ])('%s as %j under %j: %s', (name, value, policy, rule) => {
    expect(ruleOf({ environment: { [name]: value } as VllmReplica['environment'] }, policy)).toBe(rule);
  });

  it('is never repeated in a refusal', () => {
    const verdict = judgePolicy(
      { ...desired, environment: { SECRET_X: { value: 'hush-hush' } } },
      DEFAULT_AGENT_POLICY,
    );
    expect(JSON.stringify(verdict)).not.toContain('hush-hush');
  });
});

describe('reach, adoption, power and upgrades', () => {
  it.each<[Partial<VllmReplica>, Partial<AgentPolicyInput>, PolicyRule | 'allowed']>([
    [{ reach: 'direct', port: 8_000 }, {}, 'allowed'],
    [{ reach: 'direct', port: 8_000 }, { directReach: false }, 'directReach'],
    [{ reach: 'tunnel' }, { directReach: false }, 'allowed'],
    [{ adopt: 'vllm-wintermute' }, {}, 'allowed'],
    [{ adopt: 'postgres' }, {}, 'adopt'],
    [{ adopt: 'postgres' }, { adopt: ['postgres'] }, 'allowed'],
    [{ adopt: 'vllm-x' }, { adopt: [] }, 'adopt'],
  ])('%j under %j: %s', (more, policy, rule) => {
    expect(ruleOf(more, policy)).toBe(rule);
  });

  it.each(powerVerbSchema.options)('%s is done only where it is listed', (verb) => {
    expect(judgePowerVerb(verb, policyOf({ power: [] }))).toMatchObject({ allowed: false, rule: 'power' });
    expect(judgePowerVerb(verb, policyOf({ power: [verb] }))).toEqual({ allowed: true });
  });

  it('an upgrade is left to the owner who says so', () => {
    const judged = (upgrades: UpgradeMode) => judgeUpgrade(tellPolicy(policyOf({ upgrades })));
    expect([judged('auto'), judged('confirm')]).toEqual([{ allowed: true }, { allowed: true }]);
    expect(judged('off')).toMatchObject({ allowed: false, rule: 'upgrades' });
  });
});
