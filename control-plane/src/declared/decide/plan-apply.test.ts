import { DEFAULT_AGENT_POLICY, type HostPolicy, tellPolicy } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { checkFabricValue } from '../check-fabric-value.js';
import { joinDeclaredObjects } from './list-declared-objects.js';
import { type PlanOptions, planApply } from './plan-apply.js';

const deployment = (host: string, more: object = {}) => ({
  ...{ host, task: 'chat', engine: 'external', url: `http://${host}:8000`, servedModel: 'q', ...more },
});
const estate = {
  version: 1,
  hosts: { motoko: null, armitage: { mayBeAway: true } },
  deployments: { qwen: deployment('armitage'), phi: deployment('motoko') },
  providers: {
    openai: {
      baseUrl: 'https://api.openai.com/v1',
      apiKey: { env: 'OPENAI_API_KEY' },
      models: { strong: { model: 'big' }, cheap: { model: 'mini' } },
    },
  },
  roles: {
    fast: { task: 'chat', targets: [{ deployment: 'qwen' }, { provider: 'openai', model: 'cheap' }] },
  },
  aliases: { 'local/chat': 'fast' },
  gateway: { allowedOrigins: ['app://obsidian.md', 'app://other'] },
};

function stateOf(document: unknown) {
  const check = checkFabricValue(document);
  if (!check.ok) throw new Error(JSON.stringify(check.findings));
  return check.state;
}

function plan(after: object, options: Partial<PlanOptions> = {}, before: object = estate) {
  return planApply(
    { ...stateOf(before), revision: 7 },
    { state: stateOf(after), document: after },
    { prune: false, enrolledHosts: new Set(), policies: new Map(), ...options },
  );
}

describe('a plan', () => {
  it('is empty for the same file, whatever the order of what has none', () => {
    const reordered = {
      gateway: { extraHosts: [], allowedOrigins: ['app://other', 'app://obsidian.md'] },
      aliases: estate.aliases,
      roles: estate.roles,
      providers: {
        openai: {
          models: { cheap: { model: 'mini' }, strong: { model: 'big', task: 'chat' } },
          ...{ apiKey: { env: 'OPENAI_API_KEY' }, baseUrl: 'https://api.openai.com/v1/' },
        },
      },
      deployments: { phi: deployment('motoko'), qwen: deployment('armitage') },
      hosts: { armitage: { mayBeAway: true }, motoko: {} },
      version: 1,
    };
    const { plan: made, objects } = plan(reordered);
    expect(made).toEqual({ revision: 7, changes: [], notInFile: [], warnings: [] });
    expect(stateOf(joinDeclaredObjects(objects))).toEqual(stateOf(estate));
  });

  it('tells a change of the order of targets, which is meaning', () => {
    const targets = estate.roles.fast.targets.toReversed();
    expect(plan({ ...estate, roles: { fast: { task: 'chat', targets } } }).plan.changes).toEqual([
      {
        ...{ change: 'changed', kind: 'role', name: 'fast' },
        fields: [{ path: 'targets', before: estate.roles.fast.targets, after: targets }],
      },
    ]);
  });

  it('tells what is added, and what is changed field by field, before and after', () => {
    const { changes } = plan({
      ...estate,
      hosts: { ...estate.hosts, armitage: null, wintermute: null },
      deployments: { ...estate.deployments, qwen: deployment('armitage', { contextTokens: 8192 }) },
      providers: {
        openai: {
          ...estate.providers.openai,
          ...{ apiKey: { file: '/etc/key' }, models: { cheap: { model: 'nano' }, tiny: { model: 't' } } },
        },
      },
      aliases: { 'local/chat': 'qwen' },
    }).plan;
    expect(changes).toEqual([
      {
        ...{ change: 'changed', kind: 'host', name: 'armitage' },
        fields: [{ path: 'mayBeAway', before: true, after: false }],
      },
      {
        ...{ change: 'changed', kind: 'deployment', name: 'qwen' },
        fields: [{ path: 'contextTokens', before: null, after: 8192 }],
      },
      {
        ...{ change: 'changed', kind: 'provider', name: 'openai' },
        fields: [
          { path: 'apiKey.file', before: null, after: '/etc/key' },
          { path: 'apiKey.env', before: 'OPENAI_API_KEY', after: null },
          { path: 'models.cheap.model', before: 'mini', after: 'nano' },
          { path: 'models.tiny.model', before: null, after: 't' },
          { path: 'models.tiny.task', before: null, after: 'chat' },
          { path: 'models.strong.model', before: 'big', after: null },
          { path: 'models.strong.task', before: 'chat', after: null },
        ],
      },
      {
        ...{ change: 'changed', kind: 'alias', name: 'local/chat' },
        fields: [{ path: '', before: 'fast', after: 'qwen' }],
      },
      {
        ...{ change: 'added', kind: 'host', name: 'wintermute' },
        fields: [],
      },
    ]);
  });

  const without = { ...estate, roles: {}, aliases: {}, gateway: undefined };

  it('leaves alone what is not in the file, and names it', () => {
    const { plan: made, objects } = plan(without);
    expect(made.changes).toEqual([]);
    expect(made.notInFile).toEqual([
      { kind: 'role', name: 'fast' },
      { kind: 'alias', name: 'local/chat' },
      { kind: 'gateway', name: 'gateway' },
    ]);
    expect(stateOf(joinDeclaredObjects(objects))).toEqual(stateOf(estate));
  });

  it('removes it when it is to prune', () => {
    const { plan: made, objects } = plan(without, { prune: true });
    expect(made.notInFile).toEqual([]);
    expect(made.changes.map(({ change, kind }) => `${kind} ${change}`)).toEqual([
      'role removed',
      'alias removed',
      'gateway changed',
    ]);
    expect(stateOf(joinDeclaredObjects(objects))).toEqual(stateOf(without));
  });

  it('takes a schedule of backups in, and leaves one alone of which the file says nothing', () => {
    const backup = { directory: '/var/backups', everyHours: 6 };
    const [added] = plan({ ...estate, backup }).plan.changes;
    expect(added).toMatchObject({ change: 'added', kind: 'backup', name: 'backup' });
    const { plan: made } = planApply(
      stateOf({ ...estate, backup }),
      { state: stateOf(estate), document: estate },
      { prune: false, enrolledHosts: new Set(), policies: new Map() },
    );
    expect([made.changes, made.notInFile]).toEqual([[], [{ kind: 'backup', name: 'backup' }]]);
  });

  it('keeps the place of what is declared and puts what is new behind it', () => {
    const { objects } = plan({ ...estate, hosts: { zero: null, armitage: null, motoko: null } });
    expect([...stateOf(joinDeclaredObjects(objects)).hosts.keys()]).toEqual(['motoko', 'armitage', 'zero']);
  });

  it('turns checks off where the file has their section empty, and leaves them alone where it has none', () => {
    const checked = { ...estate, checks: { doctor: { everySeconds: 3600 } } };
    expect(plan(checked).plan.changes).toMatchObject([
      {
        change: 'changed',
        kind: 'checks',
        fields: [{ path: 'doctor.everySeconds', before: null, after: 3600 }],
      },
    ]);
    expect(plan({ ...estate, checks: {} }, {}, checked).plan).toMatchObject({
      changes: [
        {
          change: 'changed',
          kind: 'checks',
          fields: [{ path: 'doctor.everySeconds', before: 3600, after: null }],
        },
      ],
      notInFile: [],
    });
    const { plan: made, objects } = plan(estate, {}, checked);
    expect(made).toMatchObject({ changes: [], notInFile: [{ kind: 'checks', name: 'checks' }] });
    expect(stateOf(joinDeclaredObjects(objects))).toEqual(stateOf(checked));
  });

  it('names a gateway only where one was declared', () => {
    expect(plan({ version: 1 }, {}, { version: 1 }).plan.notInFile).toEqual([]);
  });
});

describe('a host that a file renames', () => {
  const renamed = {
    ...estate,
    hosts: { motoko: null, armitage2: { mayBeAway: true } },
    deployments: { ...estate.deployments, qwen: deployment('armitage2') },
  };
  const enrolledHosts = new Set(['motoko', 'armitage']);

  it('is one removed and one added, with a warning that an agent has joined under the old name', () => {
    const { changes, warnings } = plan(renamed, { prune: true, enrolledHosts }).plan;
    expect(changes.filter(({ kind }) => kind === 'host')).toMatchObject([
      { change: 'removed', name: 'armitage' },
      { change: 'added', name: 'armitage2' },
    ]);
    expect(warnings).toMatchObject([{ code: 'host_renamed', kind: 'host', name: 'armitage' }]);
    expect(warnings[0]?.message).toContain('ai-fabric token create --host armitage2');
  });

  it('is warned of without pruning too, where deployments move with it', () => {
    expect(plan(renamed, { enrolledHosts }).plan.warnings).toMatchObject([{ code: 'host_renamed' }]);
  });

  it('is no reason to warn where nobody joined, or where both did', () => {
    expect(plan(renamed, { prune: true }).plan.warnings).toEqual([]);
    const both = new Set([...enrolledHosts, 'armitage2']);
    expect(plan(renamed, { enrolledHosts: both }).plan.warnings).toEqual([]);
  });

  it('that is only removed is warned of as joined', () => {
    const removed = {
      ...{ ...estate, hosts: { motoko: null }, deployments: { phi: deployment('motoko') } },
      ...{ roles: {}, aliases: {} },
    };
    expect(plan(removed, { prune: true, enrolledHosts }).plan.warnings).toMatchObject([
      { code: 'host_enrolled', name: 'armitage' },
    ]);
  });
});

describe('what operators changed by commands', () => {
  const container = (more: object = {}) => ({ host: 'motoko', engine: 'vllm', preset: 'chat-fast', ...more });
  const stopped = {
    ...estate,
    deployments: {
      ...estate.deployments,
      c: container({ wish: 'stopped', restartCount: 3, adopt: 'vllm-motoko' }),
    },
  };
  const changesOf = (more: object) =>
    plan({ ...stopped, deployments: { ...stopped.deployments, c: container(more) } }, {}, stopped).plan
      .changes;

  it('stays where a file says nothing of it', () => {
    expect(changesOf({})).toEqual([]);
    expect(changesOf({ maxConcurrent: 2 })).toMatchObject([
      { change: 'changed', name: 'c', fields: [{ path: 'maxConcurrent', before: 8, after: 2 }] },
    ]);
  });

  it('is changed where a file says so', () => {
    expect(changesOf({ wish: 'running', adopt: null })).toMatchObject([
      {
        fields: [
          { path: 'wish', before: 'stopped', after: 'running' },
          { path: 'adopt', before: 'vllm-motoko', after: null },
        ],
      },
    ]);
  });

  it('does not go along to another host', () => {
    expect(changesOf({ host: 'armitage' })[0]?.fields.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['host', 'wish', 'restartCount', 'adopt']),
    );
  });

  it('ends with the ability to park', () => {
    const parked = {
      ...estate,
      deployments: { ...estate.deployments, c: container({ parkable: true, wish: 'parked' }) },
    };
    const after = { ...estate, deployments: { ...estate.deployments, c: container() } };
    const { plan: made, objects } = plan(after, {}, parked);
    expect(made.changes[0]?.fields.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['parkable', 'wish']),
    );
    expect(checkFabricValue(joinDeclaredObjects(objects)).ok).toBe(true);
  });
});

describe('what the policy of a host would refuse', () => {
  const warned = (
    more: object,
    before: object = estate,
    policies: ReadonlyMap<string, HostPolicy> = new Map(),
  ) =>
    plan(
      {
        ...estate,
        deployments: {
          ...estate.deployments,
          c: { host: 'motoko', engine: 'vllm', preset: 'chat-fast', ...more },
        },
      },
      { policies },
      before,
    ).plan.warnings;

  it('is warned of by the default policy, where its agent told none', () => {
    expect(warned({ extraArguments: ['--trust-remote-code'] })).toEqual([
      {
        ...{ code: 'policy_would_refuse', kind: 'deployment', name: 'c' },
        message:
          'the agent on "motoko" will refuse "c" (trustRemoteCode: --trust-remote-code lets a model run its own code) ' +
          "unless the host's owner allows it in agent.yaml",
      },
    ]);
  });

  it.each([
    'chat-fast',
    'chat-deep',
    'embeddings-general',
    'code-assist',
    'vision-general',
    'audio-transcribe',
  ])('is nothing of the preset %s', (preset) => {
    expect(warned({ preset })).toEqual([]);
    expect(warned({ preset, cardGigabytes: 12 })).toEqual([]);
  });

  it('is known where its agent told the policy, which may allow more than the default, or less', () => {
    const usual = tellPolicy(DEFAULT_AGENT_POLICY);
    const told = (more: Partial<HostPolicy>) => new Map([['motoko', { ...usual, ...more }]]);
    const custom = { extraArguments: ['--trust-remote-code'] };
    expect(warned(custom, estate, told({ trustRemoteCode: true }))).toEqual([]);
    expect(warned({}, estate, told({ models: ['BAAI/*'] }))).toEqual([
      {
        ...{ code: 'policy_would_refuse', kind: 'deployment', name: 'c' },
        message: expect.stringMatching(
          /^the agent on "motoko" will refuse "c" \(models: .+\): agent\.yaml on that host, .+ does not allow it$/,
        ),
      },
    ]);
    const elsewhere = new Map([['armitage', { ...usual, models: ['BAAI/*'] }]]);
    expect(warned({}, estate, elsewhere)).toEqual([]);
  });

  it('is not repeated for what does not change', () => {
    const standing = {
      ...estate,
      deployments: {
        ...estate.deployments,
        c: { host: 'motoko', engine: 'vllm', preset: 'chat-fast', image: 'me/vllm:1' },
      },
    };
    expect(warned({ image: 'me/vllm:1' }, standing)).toEqual([]);
    expect(warned({ image: 'me/vllm:2' }, standing)).toMatchObject([{ code: 'policy_would_refuse' }]);
  });
});
