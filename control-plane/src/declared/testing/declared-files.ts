import fc from 'fast-check';

/** Names that YAML or JavaScript could take for something else are among them. */
const names = [
  'a',
  'b',
  'c.d',
  'true',
  'null',
  '1',
  '10',
  '0x1f',
  '1e3',
  'no',
  'on-1',
  'constructor',
] as const;
const name = fc.constantFrom(...names);
const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  fc.constantFrom(
    '#x',
    ': ',
    '- a',
    '*a',
    '&b',
    '!!x',
    '"',
    "'",
    'line\nbreak',
    ' spaced ',
    '|',
    '>',
    '~',
    'é😀',
  ),
);

/** Files that are valid by themselves, with references among few names, so that sequences of them meet. */
export const declaredFiles: fc.Arbitrary<Record<string, unknown>> = fc
  .record({
    hosts: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
    away: fc.boolean(),
    deployments: fc.uniqueArray(fc.tuple(name, fc.nat(), text, fc.boolean()), {
      maxLength: 4,
      selector: ([each]) => each,
    }),
    providers: fc.uniqueArray(fc.tuple(name, fc.uniqueArray(name, { maxLength: 3 }), text), {
      maxLength: 3,
      selector: ([each]) => each,
    }),
    roles: fc.uniqueArray(fc.tuple(name, fc.array(fc.nat(), { minLength: 1, maxLength: 4 })), {
      maxLength: 3,
      selector: ([each]) => each,
    }),
    aliases: fc.uniqueArray(fc.tuple(name, fc.nat()), { maxLength: 3, selector: ([each]) => each }),
    gateway: fc.option(
      fc.record({
        allowedOrigins: fc.array(fc.constantFrom('app://obsidian.md', 'https://a.example'), { maxLength: 3 }),
        extraHosts: fc.array(fc.constantFrom('ai.example.net', 'AI', '::1'), { maxLength: 2 }),
      }),
      { nil: undefined },
    ),
  })
  .map(build);

interface Draft {
  readonly hosts: readonly string[];
  readonly away: boolean;
  readonly deployments: readonly (readonly [string, number, string, boolean])[];
  readonly providers: readonly (readonly [string, readonly string[], string])[];
  readonly roles: readonly (readonly [string, readonly number[]])[];
  readonly aliases: readonly (readonly [string, number])[];
  readonly gateway: object | undefined;
}

function build(draft: Draft): Record<string, unknown> {
  const { hosts, deployments, providers } = draft;
  const targets = [
    ...deployments.map(([deployment]) => ({ deployment: `d-${deployment}` })),
    ...providers.flatMap(([provider, models]) => models.map((model) => ({ provider, model }))),
  ];
  const roles = targets.length === 0 ? [] : draft.roles;
  const reached = [...roles.map(([role]) => `r-${role}`), ...deployments.map(([each]) => `d-${each}`)];
  return {
    version: 1,
    hosts: Object.fromEntries(hosts.map((host) => [host, draft.away ? { mayBeAway: true } : null])),
    deployments: Object.fromEntries(
      deployments.map(([each, at, servedModel, listed]) => [
        `d-${each}`,
        at % 3 === 0
          ? containerOf(pick(hosts, at), each, at, listed)
          : {
              ...{ host: pick(hosts, at), task: 'chat', engine: 'external', url: `http://h${at % 9}:8000/` },
              ...{ servedModel, listed, ...(at % 2 ? { contextTokens: 1 + (at % 9) } : {}) },
            },
      ]),
    ),
    providers: Object.fromEntries(
      providers.map(([provider, models, model]) => [
        provider,
        {
          baseUrl: `https://${provider.replaceAll('.', '-')}.example/v1`,
          models: Object.fromEntries(models.map((each) => [each, { model }])),
        },
      ]),
    ),
    roles: Object.fromEntries(
      roles.map(([role, picks]) => [
        `r-${role}`,
        { task: 'chat', targets: [...new Set(picks.map((at) => pick(targets, at)))] },
      ]),
    ),
    ...(reached.length === 0
      ? {}
      : { aliases: Object.fromEntries(draft.aliases.map(([each, at]) => [`x/${each}`, pick(reached, at)])) }),
    ...(draft.gateway === undefined ? {} : { gateway: draft.gateway }),
  };
}

const GPUS = ['any', 'none', 0, 3, 'GPU-5f1d3c8e-7a42-4c1e-9a53-1f0f7d3c2b11'] as const;

/** A chat model in a container, with more or less said of it. */
function containerOf(host: string, name: string, at: number, listed: boolean): Record<string, unknown> {
  const said = {
    preset: pick(['chat-fast', 'chat-deep', 'code-assist'], at),
    cardGigabytes: pick([8, 12], at),
  };
  const model = { task: 'chat', model: 'Qwen/Qwen3-0.6B', revision: pick([null, 'main', 'refs/pr/1'], at) };
  return {
    ...{ host, engine: 'vllm', listed },
    ...(at % 2 ? said : model),
    ...(at % 5
      ? {}
      : { gpu: pick(GPUS, at), contextTokens: pick([null, 512], at), fallbacks: [{ maxConcurrent: 1 }] }),
    ...(at % 7
      ? {}
      : { environment: { HF_TOKEN: { env: 'HF_TOKEN' }, a_b: { value: name } }, adopt: `c-${name}` }),
    ...(at % 11
      ? {}
      : { wish: 'parked', parkable: true, restartCount: at % 4, extraArguments: ['--x', name] }),
  };
}

function pick<Value>(values: readonly Value[], at: number): Value {
  return values[at % values.length] as Value;
}
