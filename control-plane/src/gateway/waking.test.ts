import { request as httpRequest } from 'node:http';
import type { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { DeclaredRole, DeclaredState } from '../declared/declared-state.js';
import { UNKNOWN_POWER } from '../live/host-power.js';
import { type FakeFabric, fabricOf } from '../router/testing/fake-fabric.js';
import { powerOf } from '../router/testing/power-fixtures.js';
import { deploymentOf, providerOf, roleOf, stateOf } from '../router/testing/router-fixtures.js';
import type { PresentedBearer } from './admission/presented-bearer.js';
import type { GatewayKey } from './request-context.js';
import { FakeWakeDesk } from './testing/fake-wake-desk.js';
import { type Answer, ask, errorOf, gatewayKey, TestGateway, until } from './testing/test-gateway.js';

const JSON_ANSWER = JSON.stringify({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } });

/** `wintermute` and `armitage` sleep, each with a replica; the gateway and the router are the real ones. */
class SleepingFabric {
  readonly fabric: FakeFabric;
  readonly desk: FakeWakeDesk;
  readonly clock: ManualClock;
  readonly test: TestGateway;
  /** Of requests, as they reached an engine or the provider: `wintermute: 3`. */
  readonly served: string[] = [];
  key: GatewayKey = gatewayKey();

  private constructor(state: DeclaredState) {
    this.fabric = fabricOf(state);
    const { live, clock } = this.fabric;
    this.clock = clock;
    const teller = {
      power: (host: string) => live.host(host)?.power ?? UNKNOWN_POWER,
      setPower: (host: string, power: typeof UNKNOWN_POWER) => live.setHost(host, { power }),
    };
    const hostOf = (deployment: string) => state.deployments.get(deployment)?.host ?? '';
    this.desk = new FakeWakeDesk(teller, hostOf, () => clock.nowMs());
    const keys = {
      find: ({ text }: PresentedBearer) => (text === 'admin' ? gatewayKey({ keyId: 'admin' }) : this.key),
      anonymous: gatewayKey({ keyId: 'anonymous', name: 'anonymous' }),
    };
    this.test = new TestGateway(this.fabric.router, { clock, live, wakes: this.desk, keys });
  }

  static async start(
    role: Partial<DeclaredRole> = {},
    targets: readonly string[] = ['wintermute-chat'],
  ): Promise<SleepingFabric> {
    const served: { to: SleepingFabric | null } = { to: null };
    const bare = new TestGateway(fabricOf(stateOf({})).router);
    const engine = (name: string) =>
      bare.engine((_, response, body) => {
        const { stream, messages } = JSON.parse(body.toString());
        served.to?.served.push(`${name}: ${messages[0]?.content ?? ''}`);
        response.setHeader('content-type', stream === true ? 'text/event-stream' : 'application/json');
        response.end(stream === true ? 'data: {"choices":[]}\n\ndata: [DONE]\n\n' : JSON_ANSWER);
      });
    const [wintermute, armitage, openai] = await Promise.all(
      ['wintermute', 'armitage', 'openai'].map(engine),
    );
    const deployments = [
      deploymentOf('wintermute-chat', { host: 'wintermute', url: String(wintermute), maxConcurrent: 2 }),
      deploymentOf('armitage-chat', { host: 'armitage', url: String(armitage), maxConcurrent: 2 }),
    ];
    const providers = [{ ...providerOf('openai', { cheap: {} }), baseUrl: `${openai}/v1` }];
    const state = stateOf({ deployments, providers, roles: [roleOf('chat-deep', targets, role)] });
    const all = new SleepingFabric(state);
    all.closeEngines = () => bare.close();
    served.to = all;
    all.sleep('wintermute', { 'wintermute-chat': 40 });
    all.sleep('armitage', { 'armitage-chat': 45 });
    await all.test.start();
    return all;
  }

  closeEngines: () => Promise<void> = () => Promise.resolve();

  sleep(host: string, readySeconds: Record<string, number>): void {
    this.fabric.live.setHost(host, { presence: 'away', power: powerOf({ readySeconds }) });
  }

  /** Its model is ready. */
  rise(host: string): void {
    this.fabric.live.setHost(host, { presence: 'online' });
    this.desk.end(host, null);
  }

  post(stream: boolean, headers: Readonly<Record<string, string>> = {}, content = ''): Promise<Answer> {
    return ask(`${this.test.url}/v1/chat/completions`, {
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-notes', ...headers },
      body: JSON.stringify({ model: 'chat-deep', messages: [{ role: 'user', content }], stream }),
    });
  }

  untilHeld(count = 1): Promise<void> {
    const held = () => this.fabric.router.gauges().held.reduce((sum, gauge) => sum + gauge.count, 0);
    return until(() => held() === count, `${count} are held`);
  }

  /** Ticks as the gateway's deadlines do. */
  pass(seconds: number): void {
    for (let passed = 0; passed < seconds * 10; passed += 1) this.clock.advance(100);
  }

  async close(): Promise<void> {
    await this.test.close();
    await this.closeEngines();
  }
}

describe('a request for a role whose host sleeps', () => {
  let all: SleepingFabric;
  afterEach(() => all.close());

  it('wakes it, is told how far that is, and is answered by it', async () => {
    all = await SleepingFabric.start();
    const asked = all.post(true);
    await all.untilHeld();
    expect(all.desk.asked).toEqual([
      {
        ...{ deployments: ['wintermute-chat'], role: 'chat-deep', keyId: 'key-1' },
        ...{ isHeld: true, withinMs: 50_000 },
      },
    ]);
    all.pass(16);
    all.desk.reach('wintermute', 'agent_back', 'agent back after 16 s, usually 18 s');
    // Its replica was ready when it went to sleep, and nothing else is known of it yet.
    all.fabric.live.setHost('wintermute', { presence: 'online' });
    all.pass(1);
    all.desk.reach('wintermute', 'agent_back', 'agent back after 16 s, usually 18 s; ready in 12 s');
    all.pass(12);
    expect(all.desk.waitersOf('wintermute')).toBe(1);
    all.rise('wintermute');
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(
      ': held for 15 s; next in the queue; packet sent to wintermute\n\n' +
        ': held for 17 s; next in the queue; agent back after 16 s, usually 18 s\n\n' +
        ': held for 27 s; next in the queue; agent back after 16 s, usually 18 s; ready in 12 s\n\n' +
        ': served by wintermute-chat on wintermute after 29 s\n\n' +
        'data: {"choices":[]}\n\ndata: [DONE]\n\n',
    );
    expect(all.desk.waitersOf('wintermute')).toBe(0);
    expect(all.test.records[0]?.rounds.map(({ reason }) => reason)).toEqual([
      'held_waking',
      'only_candidate',
    ]);
  });

  it('that is not streamed gets no byte until its answer', async () => {
    all = await SleepingFabric.start({ patienceSeconds: 120 });
    const asked = all.post(false);
    await all.untilHeld();
    all.pass(38);
    all.rise('wintermute');
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(JSON_ANSWER);
    expect(answer.headers).toMatchObject({ 'x-fabric-host': 'wintermute', 'x-fabric-queue-ms': '38000' });
  });

  it('is not held beyond what its client may think alive, and the wake goes on', async () => {
    all = await SleepingFabric.start({ patienceSeconds: 120 });
    const asked = all.post(false);
    await all.untilHeld();
    all.pass(50);
    const answer = await asked;
    expect(answer.status).toBe(503);
    expect(errorOf(answer).code).toBe('waking');
    // It was expected ten seconds ago: as long again.
    expect(answer.headers['retry-after']).toBe('10');
    expect(all.desk.waitersOf('wintermute')).toBe(0);
    expect(all.desk.wakes).toBe(1);
    all.rise('wintermute');
    expect((await all.post(false)).status).toBe(200);
  });

  it('that cannot wait so long is told when to come again, while the wake goes on', async () => {
    all = await SleepingFabric.start({ patienceSeconds: 30 });
    const answer = await all.post(true);
    expect(answer.status).toBe(503);
    expect(errorOf(answer)).toMatchObject({
      code: 'waking',
      message: expect.stringContaining('its host is being woken, ready in about 40 s'),
    });
    expect(answer.headers['retry-after']).toBe('40');
    expect(answer.headers['x-fabric-reason']).toBe('waking; wintermute-chat=host_asleep');
    expect(all.desk.asked).toMatchObject([{ isHeld: false }]);
    all.pass(5);
    const again = await all.post(true);
    expect(again.status).toBe(503);
    expect(again.headers['retry-after']).toBe('35');
    expect(all.desk.wakes).toBe(1);
  });

  it('is answered by another host where the first turns out to come far too late', async () => {
    all = await SleepingFabric.start({ patienceSeconds: 120 }, ['wintermute-chat', 'armitage-chat']);
    const asked = all.post(true);
    await all.untilHeld();
    all.pass(20);
    all.desk.expect('wintermute', 900);
    await until(() => all.desk.wakes === 2, 'another host is woken');
    expect(all.desk.asked[1]).toMatchObject({ isHeld: true, withinMs: 100_000 });
    expect([all.desk.waitersOf('wintermute'), all.desk.waitersOf('armitage')]).toEqual([0, 1]);
    all.pass(20);
    expect(all.desk.asked).toHaveLength(2);
    all.rise('armitage');
    expect((await asked).text).toContain(': served by armitage-chat on armitage after 40 s');
    expect(all.served).toEqual(['armitage: ']);
  });

  it('is refused where the first turns out to come far too late, and no other is woken', async () => {
    all = await SleepingFabric.start({ patienceSeconds: 120 }, ['wintermute-chat', 'armitage-chat']);
    all.desk.refuses.set('armitage', 'it has its quiet hours');
    const asked = all.post(false);
    await all.untilHeld();
    all.pass(20);
    all.desk.expect('wintermute', 400);
    const answer = await asked;
    expect([answer.status, errorOf(answer).code, answer.headers['retry-after']]).toEqual([
      503,
      'waking',
      '400',
    ]);
    expect([all.desk.wakes, all.desk.waitersOf('wintermute')]).toEqual([1, 0]);
  });

  it('is served by the cloud while it wakes, and then by it', async () => {
    all = await SleepingFabric.start({ onAsleep: 'cloudThenLocal' }, ['wintermute-chat', 'openai/cheap']);
    const first = await all.post(false);
    expect(first.status).toBe(200);
    expect(first.headers).toMatchObject({
      'x-fabric-host': 'openai',
      'x-fabric-reason': 'cloud_while_waking',
    });
    expect(all.desk.asked).toMatchObject([{ isHeld: false }]);
    expect((await all.post(false)).headers['x-fabric-host']).toBe('openai');
    expect(all.desk.wakes).toBe(1);
    all.rise('wintermute');
    expect((await all.post(false)).headers['x-fabric-host']).toBe('wintermute');
    expect(all.desk.waitersOf('wintermute')).toBe(0);
  });

  it('goes to the cloud when its patience is over before the wake', async () => {
    all = await SleepingFabric.start({}, ['wintermute-chat', 'openai/cheap']);
    const asked = all.post(true);
    await all.untilHeld();
    all.pass(50);
    const answer = await asked;
    expect(answer.text).toContain(': served by openai/cheap on openai after 50 s');
    expect(all.desk.waitersOf('wintermute')).toBe(0);
    expect(all.test.records[0]).toMatchObject({ outcome: 'ok', reason: 'cloud_while_waking' });
  });

  it.each<{
    of: string;
    role?: Partial<DeclaredRole>;
    key?: Partial<GatewayKey>;
    headers?: Record<string, string>;
    why: string;
  }>([
    { of: 'a role that refuses', role: { onAsleep: 'refuse' }, why: 'onAsleep: refuse wakes nobody' },
    { of: 'a role for the cloud', role: { onAsleep: 'cloud' }, why: 'onAsleep: cloud wakes nobody' },
    { of: 'a key without the right', key: { mayWake: false }, why: 'this key may not wake it' },
    { of: 'a batch', headers: { 'x-fabric-class': 'batch' }, why: 'class batch wakes nobody' },
    {
      of: 'a check',
      headers: { 'x-fabric-check': 'true', authorization: 'Bearer admin' },
      why: 'is asleep',
    },
  ])('is refused at once and wakes nobody: $of', async ({ role, key, headers, why }) => {
    all = await SleepingFabric.start(role);
    if (key !== undefined) all.key = gatewayKey(key);
    const answer = await all.post(false, headers);
    expect(answer.status).toBe(503);
    expect(errorOf(answer)).toMatchObject({ code: 'host_asleep', message: expect.stringContaining(why) });
    expect(answer.headers['retry-after']).toBe('60');
    expect(all.desk.asked).toEqual([]);
  });

  it('of a check that is told to wakes it, and of a client that calls itself one too', async () => {
    all = await SleepingFabric.start({ patienceSeconds: 30 });
    for (const authorization of ['Bearer admin', 'Bearer sk-notes']) {
      const answer = await all.post(false, { 'x-fabric-check': 'wake', authorization });
      expect(errorOf(answer).code).toBe('waking');
    }
    expect(all.desk.wakes).toBe(1);
    expect(all.test.records.map(({ outcome }) => outcome)).toEqual(['check_refused', 'refused']);
  });

  it('of a key that may not wake it waits for the wake of another', async () => {
    all = await SleepingFabric.start();
    const first = all.post(false);
    await all.untilHeld();
    all.key = gatewayKey({ keyId: 'key-2', mayWake: false });
    const second = all.post(false);
    await all.untilHeld(2);
    all.rise('wintermute');
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect(all.desk.asked).toHaveLength(1);
  });

  it('whose client hangs up is forgotten, and the wake goes on', async () => {
    all = await SleepingFabric.start();
    const request = httpRequest(`${all.test.url}/v1/chat/completions`, { method: 'POST', agent: false });
    request.on('error', () => undefined);
    request.end(JSON.stringify({ model: 'chat-deep', messages: [] }));
    await all.untilHeld();
    expect(all.desk.waitersOf('wintermute')).toBe(1);
    request.destroy();
    await all.untilHeld(0);
    expect(all.desk.waitersOf('wintermute')).toBe(0);
    expect(all.test.records[0]).toMatchObject({ outcome: 'client_gone' });
    all.desk.end('wintermute', 'no agent came back');
    expect(all.desk.asked).toHaveLength(1);
  });

  it('has the next host woken where a wake fails', async () => {
    all = await SleepingFabric.start({ patienceSeconds: 120 }, ['wintermute-chat', 'armitage-chat']);
    const asked = all.post(true);
    await all.untilHeld();
    all.pass(20);
    all.desk.end('wintermute', 'no agent came back within 20 s');
    await until(() => all.desk.asked.length === 2, 'the fleet was asked again');
    expect([all.desk.waitersOf('wintermute'), all.desk.waitersOf('armitage')]).toEqual([0, 1]);
    all.pass(45);
    all.rise('armitage');
    const answer = await asked;
    expect(answer.text).toContain('packet sent to armitage');
    expect(answer.text).toContain('served by armitage-chat on armitage after 65 s');
  });

  it('is refused with what is known of the wake that failed', async () => {
    all = await SleepingFabric.start();
    const asked = all.post(false);
    await all.untilHeld();
    all.pass(20);
    all.desk.end('wintermute', 'its last wake failed: no agent came back; it answers, so look at its login');
    const answer = await asked;
    expect(answer.status).toBe(503);
    expect(errorOf(answer)).toMatchObject({
      code: 'host_asleep',
      message: expect.stringContaining(
        'none could be woken: wintermute: its last wake failed: no agent came back; it answers, so look at its login',
      ),
    });
    expect(answer.headers['retry-after']).toBe('60');
  });

  it('goes to the cloud where the fleet wakes nobody', async () => {
    all = await SleepingFabric.start({}, ['wintermute-chat', 'openai/cheap']);
    all.desk.refuses.set('wintermute', 'quiet hours until 07:00');
    const answer = await all.post(false);
    expect(answer.headers).toMatchObject({ 'x-fabric-host': 'openai', 'x-fabric-reason': 'cloud_fallback' });
    expect(all.desk.asked).toHaveLength(1);
  });

  it('is one of a hundred that wait for one wake, and are served in their order', async () => {
    all = await SleepingFabric.start();
    const names = Array.from({ length: 100 }, (_, index) => `${index}`);
    const asked: Promise<Answer>[] = [];
    for (const [index, name] of names.entries()) {
      asked.push(all.post(false, {}, name));
      await all.untilHeld(index + 1);
    }
    expect(all.desk.wakes).toBe(1);
    expect(all.desk.waitersOf('wintermute')).toBe(100);
    all.desk.reach('wintermute', 'agent_back', 'agent back');
    all.rise('wintermute');
    const answers = await Promise.all(asked);
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    // Two at a time, and two connections of which either may be read first.
    const order = all.served.map((line) => Number(line.split(': ')[1]));
    expect([...order].sort((a, b) => a - b)).toEqual(names.map(Number));
    for (const [place, number] of order.entries()) expect(Math.abs(place - number)).toBeLessThanOrEqual(2);
    expect(all.desk.waitersOf('wintermute')).toBe(0);
    expect(all.desk.wakes).toBe(1);
  });
});

describe('/v1/models', () => {
  let all: SleepingFabric;
  afterEach(() => all.close());

  it('keeps a role whose host sleeps, with when it would be ready, and wakes nobody', async () => {
    all = await SleepingFabric.start();
    const state = async () => {
      const listed = JSON.parse((await ask(`${all.test.url}/v1/models`)).text);
      return listed.data.find(({ id }: { id: string }) => id === 'chat-deep').fabric;
    };
    expect(await state()).toMatchObject({ state: 'asleep', readyInSeconds: 40 });
    const asked = all.post(false);
    await all.untilHeld();
    expect(all.desk.asked).toHaveLength(1);
    all.pass(10);
    expect(await state()).toMatchObject({ state: 'waking', readyInSeconds: 30 });
    all.rise('wintermute');
    await asked;
    expect(await state()).toEqual({
      ...{ kind: 'role', task: 'chat', state: 'ready', servedBy: 'wintermute-chat' },
    });
  });
});
