import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { BootedFabric } from '../harness/boot-fabric.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { errorOf } from '../harness/raw-http.js';
import { eventually } from '../simulators/common/eventually.js';

const ten = Array.from({ length: 10 }, (_, index) => index);

describe('a request by role', () => {
  let fabric: BootedFabric;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        motoko: {
          engines: {
            'bge-motoko': { task: 'embeddings', listed: false },
            'other-embeddings-motoko': { task: 'embeddings' },
          },
        },
        armitage: { mayBeAway: true, engines: { 'qwen-armitage': {} } },
        wintermute: { mayBeAway: true, engines: { 'llama-wintermute': {} } },
        neuromancer: { mayBeAway: true, agent: 'none', engines: { 'big-neuromancer': {} } },
      },
      cloud: {},
      roles: {
        'chat-fast': { targets: ['qwen-armitage', 'llama-wintermute', 'openai/cheap'] },
        'chat-deep': { targets: ['big-neuromancer', 'openai/strong'] },
        'chat-own': { targets: ['big-neuromancer'] },
        'embeddings-general': { task: 'embeddings', targets: ['bge-motoko'] },
      },
      aliases: { 'local/chat': 'chat-fast', 'local/reasoner': 'chat-deep', 'local/qwen': 'qwen-armitage' },
    });
  });
  beforeEach(() => {
    fabric.cloud.simulator.forgetRequests();
  });
  afterEach(async () => {
    for (const name of ['qwen-armitage', 'llama-wintermute'])
      await fabric.engine(name).fault({ kind: 'none' });
    await fabric.cloud.simulator.reconnect();
  });
  afterAll(() => fabric?.close());

  const replicaOf = async (model: string): Promise<string | null> => {
    const answer = await fabric.chat(model);
    expect(answer.status).toBe(200);
    await answer.text();
    return answer.headers.get('x-fabric-replica');
  };
  const externalLoad = async (target: string): Promise<number> => {
    const text = await (await fetch(`${fabric.controlPlane.url}/metrics`)).text();
    const line = text
      .split('\n')
      .find((each) => each.startsWith(`ai_fabric_target_external_load{target="${target}"`));
    return Number(line?.split(' ').at(-1) ?? Number.NaN);
  };
  const embed = (model: string): Promise<Response> =>
    fabric.controlPlane.post('/v1/embeddings', { model, input: 'Hello' });

  test.each([
    ['qwen-armitage', 'llama-wintermute'],
    ['llama-wintermute', 'qwen-armitage'],
  ])(
    'passes a fuller card over for an emptier one: %s is full of what others sent',
    async (fuller, emptier) => {
      // Both have just come up, and are given more only as they answer.
      for (let count = 0; count < 5; count += 1) {
        for (const name of [fuller, emptier]) await replicaOf(name);
      }
      await fabric.engine(fuller).fault({ kind: 'externalLoad', running: 12, waiting: 4, kvUsage: 1 });
      await eventually('the load of others is known', async () => (await externalLoad(fuller)) > 10);
      const served = await Promise.all(ten.map(() => replicaOf('chat-fast')));
      expect(new Set(served)).toEqual(new Set([emptier]));
      await fabric.engine(fuller).fault({ kind: 'none' });
      await eventually('it is forgotten', async () => (await externalLoad(fuller)) < 1);
    },
  );

  test('is spread over cards that are alike', async () => {
    const served = new Set<string | null>();
    await eventually('both serve', async () => served.add(await replicaOf('chat-fast')).size === 2);
    expect(served).toEqual(new Set(['qwen-armitage', 'llama-wintermute']));
    expect(fabric.cloud.simulator.requests).toHaveLength(0);
  });

  test.each([
    ['x-session-id', {}, { 'x-session-id': 'conversation 7' }],
    ['prompt_cache_key', { prompt_cache_key: 'conversation 7' }, {}],
    ['user', { user: 'case' }, {}],
  ])('stays where its session is, named by %s', async (_, body, headers) => {
    const ask = async (): Promise<string> => {
      const answer = await fabric.chat('chat-fast', body, { headers });
      expect(answer.status).toBe(200);
      await answer.text();
      return `${answer.headers.get('x-fabric-replica')} ${answer.headers.get('x-fabric-reason')}`;
    };
    const [first = ''] = (await ask()).split(' ');
    for (let count = 0; count < 8; count += 1) expect(await ask()).toBe(`${first} affinity`);
  });

  test('whose engine is killed while it works is answered by another host', async () => {
    await fabric.engine('qwen-armitage').fault({ kind: 'never' });
    await fabric.engine('llama-wintermute').fault({ kind: 'never' });
    const asked = fabric.chat('chat-fast');
    const engines = ['qwen-armitage', 'llama-wintermute'] as const;
    await eventually('an engine works on it', () => engines.some((name) => fabric.engine(name).inFlight > 0));
    const [working, other] =
      fabric.engine(engines[0]).inFlight > 0 ? engines : ([engines[1], engines[0]] as const);
    await fabric.engine(other).fault({ kind: 'none' });
    await fabric.engine(working).fault({ kind: 'crash' });
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-fabric-replica')).toBe(other);
    expect(answer.headers.get('x-fabric-attempts')).toBe('2');
    expect(await answer.text()).toContain(other);
    // Its agent sees it go, and proves it anew when it is back.
    await fabric.untilPhase(working, 'starting');
    expect(await replicaOf('chat-fast')).toBe(other);
    await fabric.engine(working).restart();
    await fabric.untilPhase(working, 'ready');
    await eventually('it serves again', async () => (await replicaOf(working)) === working);
  });

  test('is answered by the cloud while its only host is away', async () => {
    const answer = await fabric.chat('chat-deep');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-fabric-host')).toBe('openai');
    expect(answer.headers.get('x-fabric-replica')).toBe('openai/strong');
    const [sent] = fabric.cloud.simulator.requests;
    expect(JSON.parse(sent?.bodyText ?? '{}')).toMatchObject({ model: 'gpt-5' });
    expect(fabric.engine('big-neuromancer').inferenceRequests).toHaveLength(0);
  });

  test('for which there is no cloud is told that its host is away, and when to come again', async () => {
    const answer = await fabric.chat('chat-own');
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    const { code, message } = errorOf(await answer.text());
    expect(code).toBe('host_away');
    expect(message).toContain('neuromancer');
  });

  test('for embeddings is only ever answered by its own model', async () => {
    const own = await embed('embeddings-general');
    expect(own.headers.get('x-fabric-replica')).toBe('bge-motoko');
    await fabric.host('motoko').stop();
    await fabric.untilPresence('motoko', 'away');
    for (const name of ['bge-motoko', 'other-embeddings-motoko']) fabric.engine(name).forgetRequests();
    const answer = await embed('embeddings-general');
    expect(answer.status).toBe(503);
    expect(errorOf(await answer.text()).code).toBe('host_away');
    // Its engine would answer still, another one would, the cloud would: none of them may.
    for (const name of ['bge-motoko', 'other-embeddings-motoko']) {
      expect(fabric.engine(name).inferenceRequests).toHaveLength(0);
    }
    expect(fabric.cloud.simulator.requests).toHaveLength(0);
    await fabric.host('motoko').start();
    await fabric.untilPhase('bge-motoko', 'ready');
    await eventually('it embeds again', async () => (await embed('embeddings-general')).status === 200);
  });

  test('and by alias and by deployment reach what they name', async () => {
    expect(['qwen-armitage', 'llama-wintermute']).toContain(await replicaOf('local/chat'));
    expect(await replicaOf('local/reasoner')).toBe('openai/strong');
    expect(await replicaOf('local/qwen')).toBe('qwen-armitage');
    expect(await replicaOf('llama-wintermute')).toBe('llama-wintermute');
    expect(await replicaOf('openai/cheap')).toBe('openai/cheap');
  });

  test('for a name that is not there is told the nearest ones', async () => {
    const answer = await fabric.chat('chat-fsat');
    expect(answer.status).toBe(404);
    expect(errorOf(await answer.text())).toMatchObject({
      code: 'model_not_found',
      param: 'model',
      message: expect.stringMatching(/"chat-fsat".*chat-fast/),
    });
  });

  test('passes a drained host over, and comes back to it when it is undrained', async () => {
    await fabric.controlPlane.api('/hosts/armitage/drain', { method: 'POST' });
    expect(new Set(await Promise.all(ten.map(() => replicaOf('chat-fast'))))).toEqual(
      new Set(['llama-wintermute']),
    );
    const direct = await fabric.chat('qwen-armitage');
    expect(direct.status).toBe(503);
    expect(errorOf(await direct.text()).message).toContain('undrain');
    await fabric.controlPlane.api('/hosts/armitage/undrain', { method: 'POST' });
    await eventually('armitage serves', async () => (await replicaOf('chat-fast')) === 'qwen-armitage');
  });

  test('is told when the internet is not there', async () => {
    await fabric.cloud.simulator.disconnect();
    const answer = await fabric.chat('chat-deep');
    expect(answer.status).toBe(502);
    const { code, message } = errorOf(await answer.text());
    expect(code).toBe('upstream_unreachable');
    expect(message).toContain('chat-deep');
    // What runs here does not mind.
    expect(['qwen-armitage', 'llama-wintermute']).toContain(await replicaOf('chat-fast'));
  });
});

describe('a provider without its key', () => {
  let controlPlane: BootedControlPlane;
  beforeAll(async () => {
    controlPlane = await BootedControlPlane.boot({
      fabric: fabricYaml({
        providers: {
          openai: {
            baseUrl: 'http://127.0.0.1:9/v1',
            apiKey: { env: 'A_KEY_THAT_NOBODY_HAS_SET' },
            models: { cheap: { model: 'gpt-5-mini' } },
          },
        },
        roles: { 'chat-fast': { targets: ['openai/cheap'] } },
      }),
    });
  });
  afterAll(() => controlPlane?.close());

  test.each(['chat-fast', 'openai/cheap'])(
    'is named to who asks for %s, and nothing is sent',
    async (model) => {
      const answer = await controlPlane.post('/v1/chat/completions', { model, messages: [] });
      expect(answer.status).toBe(503);
      const { code, message } = errorOf(await answer.text());
      expect(code).toBe('provider_key_missing');
      expect(message).toContain('openai');
      expect(answer.headers.get('x-fabric-attempts')).toBe('0');
    },
  );
});
