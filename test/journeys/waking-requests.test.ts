import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { CloudProvider } from '../harness/cloud-provider.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { errorOf } from '../harness/raw-http.js';
import { readStream } from '../harness/read-stream.js';
import { type SleepingHost, SleepingHosts } from '../harness/sleeping-hosts.js';
import { fastClock } from '../harness/test-clocks.js';
import { eventually } from '../simulators/common/eventually.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

/** The control plane lives five seconds in one. */
const FACTOR = 5;

interface SmokeRun {
  readonly results: readonly { readonly name: string; readonly outcome: string }[];
}
interface Told {
  readonly power: { readonly state: string; readonly flight: { readonly waiters: number } | null };
}

describe('a request for a role whose host sleeps', () => {
  let hosts: SleepingHosts;
  let controlPlane: BootedControlPlane;
  let cloud: CloudProvider;
  const engines: VllmSimulator[] = [];
  let wintermute: SleepingHost;
  let armitage: SleepingHost;

  beforeAll(async () => {
    hosts = await SleepingHosts.listen();
    cloud = await CloudProvider.start();
    for (const name of ['wintermute', 'armitage']) {
      engines.push(await startVllmSimulator({ name, model: `model-of-${name}` }));
    }
    const [deep, spare] = engines;
    const wake = { cooldownMinutes: 0, timeoutSeconds: 60 };
    const only = { targets: ['deep'], patienceSeconds: 200 };
    const both = { targets: ['deep', 'openai/strong'], patienceSeconds: 200 };
    controlPlane = await BootedControlPlane.boot({
      fabric: fabricYaml({
        hosts: {
          wintermute: { mayBeAway: true, wake },
          armitage: { mayBeAway: true, wake: { cooldownMinutes: 5, timeoutSeconds: 30 } },
        },
        deployments: {
          deep: { host: 'wintermute', url: deep?.url ?? '', servedModel: 'model-of-wintermute' },
          spare: { host: 'armitage', url: spare?.url ?? '', servedModel: 'model-of-armitage' },
        },
        providers: { openai: cloud.spec },
        roles: {
          'chat-deep': only,
          'chat-hasty': { ...only, patienceSeconds: 0.5 },
          'chat-refuses': { ...only, onAsleep: 'refuse' },
          'chat-meanwhile': { ...both, onAsleep: 'cloudThenLocal' },
          'chat-either': { targets: ['spare', 'deep'], patienceSeconds: 200 },
          'chat-spare': { targets: ['spare'], patienceSeconds: 200 },
        },
      }),
      config: { wakePorts: [hosts.port] },
      clock: fastClock(FACTOR),
    });
    wintermute = await hosts.add(controlPlane, 'wintermute', ['deep']);
    armitage = await hosts.add(controlPlane, 'armitage', ['spare']);
    await armitage.sleep();
    // How long a wake takes is guessed until there was one.
    await (await chat('chat-spare', { stream: true })).text();
    await asleep(armitage);
    await asleep(wintermute);
    await (await chat('chat-deep', { stream: true })).text();
  }, 60_000);
  afterEach(() => {
    wintermute.manner = 'serves';
    armitage.manner = 'serves';
  });
  afterAll(async () => {
    await hosts?.close();
    await controlPlane?.close();
    await Promise.all(engines.map((engine) => engine.close()));
    await cloud?.close();
  });

  const chat = (model: string, more: object = {}, init: RequestInit = {}): Promise<Response> => {
    const messages = [{ role: 'user', content: 'Hello' }];
    const headers = { 'content-type': 'application/json', ...init.headers };
    return controlPlane.post(
      '/v1/chat/completions',
      { model, messages, max_tokens: 4, ...more },
      { ...init, headers },
    );
  };
  const power = async (host: string) => (await controlPlane.api<Told>(`/hosts/${host}`)).power;
  const asleep = async (host: SleepingHost): Promise<void> => {
    await host.sleep();
    host.packets = 0;
    await eventually(
      `${host.name} is known to sleep`,
      async () => (await power(host.name)).state === 'asleep',
    );
  };
  const waiters = async (host: string) => (await power(host)).flight?.waiters ?? null;
  const refusal = async (answer: Response) => {
    expect(answer.status).toBe(503);
    return { ...errorOf(await answer.text()), retryAfter: Number(answer.headers.get('retry-after')) };
  };

  test('is held with comments that tell how far the wake is, and answered by the host', async () => {
    await asleep(wintermute);
    wintermute.manner = 'agent_only';
    const answer = await chat('chat-deep', { stream: true });
    expect(answer.status).toBe(200);
    const reading = readStream(answer);
    await eventually('its agent is back', async () => (await power('wintermute')).state === 'waking');
    await wintermute.serve();
    const { text, done, content } = await reading;
    expect(text).toMatch(/^: held for \d+ s; next in the queue; agent back after .*\n/);
    expect(text).toMatch(/\n: served by deep on wintermute after \d+ s\n/);
    expect({ done, hasContent: content !== '' }).toEqual({ done: true, hasContent: true });
    expect(wintermute.packets).toBeGreaterThan(0);
  });

  test('without a stream gets no byte until the answer', async () => {
    await asleep(wintermute);
    const answer = await chat('chat-deep');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-fabric-host')).toBe('wintermute');
    expect(Number(answer.headers.get('x-fabric-queue-ms'))).toBeGreaterThan(0);
    expect(await answer.text()).toContain('"choices"');
  });

  test('is answered by the cloud while it wakes, and the next one by the host', async () => {
    await asleep(wintermute);
    wintermute.manner = 'agent_only';
    const first = await chat('chat-meanwhile');
    expect(await first.text()).toContain('"choices"');
    expect([first.headers.get('x-fabric-host'), first.headers.get('x-fabric-reason')]).toEqual([
      'openai',
      'cloud_while_waking',
    ]);
    await eventually('its packet came', () => wintermute.packets > 0);
    const second = await chat('chat-meanwhile');
    await second.text();
    expect(second.headers.get('x-fabric-host')).toBe('openai');
    await eventually('its agent is back', async () => (await waiters('wintermute')) === 0);
    await wintermute.serve();
    await eventually('it serves', async () => {
      const third = await chat('chat-meanwhile');
      await third.text();
      return third.headers.get('x-fabric-host') === 'wintermute';
    });
  });

  test('that cannot wait so long is told when to come again, and the wake goes on', async () => {
    await asleep(wintermute);
    wintermute.manner = 'agent_only';
    const { code, message, retryAfter } = await refusal(await chat('chat-hasty'));
    expect(code).toBe('waking');
    expect(message).toContain('its host is being woken, ready in about');
    expect(retryAfter).toBeGreaterThanOrEqual(5);
    await eventually('its packet came', () => wintermute.packets > 0);
    const listed = await (await fetch(`${controlPlane.url}/v1/models/chat-hasty`)).json();
    expect(listed).toMatchObject({ fabric: { state: 'waking', readyInSeconds: expect.any(Number) } });
    await wintermute.serve();
    await eventually('it serves', async () => {
      const again = await chat('chat-hasty');
      await again.text();
      return again.status === 200;
    });
  });

  test('of which nobody is to be woken is refused at once, and says why', async () => {
    await asleep(wintermute);
    const told = await refusal(await chat('chat-refuses'));
    expect(told).toMatchObject({ code: 'host_asleep', retryAfter: 60 });
    expect(told.message).toContain("the role's onAsleep: refuse wakes nobody");
    const batch = await refusal(await chat('chat-deep', {}, { headers: { 'x-fabric-class': 'batch' } }));
    expect(batch).toMatchObject({ code: 'host_asleep' });
    expect(batch.message).toContain('a request of class batch wakes nobody');
    const { secret } = await controlPlane.api<{ secret: string }>('/keys', {
      method: 'POST',
      body: { name: 'no-wake', mayWake: false },
    });
    const authorization = `Bearer ${secret}`;
    const keyed = await refusal(await chat('chat-deep', {}, { headers: { authorization } }));
    expect(keyed.message).toContain('this key may not wake it');
    const models = await (await fetch(`${controlPlane.url}/v1/models/chat-deep`)).json();
    expect(models).toMatchObject({ fabric: { state: 'asleep', readyInSeconds: expect.any(Number) } });
    expect(wintermute.packets).toBe(0);
    expect((await power('wintermute')).state).toBe('asleep');
  });

  test('whose client hangs up is forgotten, and the wake goes on', async () => {
    await asleep(wintermute);
    wintermute.manner = 'agent_only';
    const hangUp = new AbortController();
    const asked = chat('chat-deep', {}, { signal: hangUp.signal }).catch(() => 'gone');
    await eventually('it waits', async () => (await waiters('wintermute')) === 1);
    hangUp.abort();
    expect(await asked).toBe('gone');
    await eventually('nobody waits', async () => (await waiters('wintermute')) === 0);
    await wintermute.serve();
    await eventually('it is awake all the same', async () => (await power('wintermute')).state === 'online');
  });

  test('shares its wake with all who come meanwhile', async () => {
    await asleep(wintermute);
    wintermute.manner = 'agent_only';
    const asked = Array.from({ length: 30 }, (_, index) => chat('chat-deep', { stream: index % 2 === 0 }));
    await eventually('all wait', async () => (await waiters('wintermute')) === 30);
    await wintermute.serve();
    const answers = await Promise.all(asked.map(async (each) => (await each).text()));
    expect(answers.filter((text) => !text.includes('"choices"') || text.includes('"error"'))).toEqual([]);
    expect((await power('wintermute')).flight).toBeNull();
  });

  test('of smoke wakes only where it is told to', async () => {
    await asleep(wintermute);
    const smoke = async (wake: boolean) => {
      const run = await controlPlane.api<SmokeRun>('/checks/smoke', { method: 'POST', body: { wake } });
      return Object.fromEntries(run.results.map(({ name, outcome }) => [name, outcome]));
    };
    expect(await smoke(false)).toMatchObject({ 'chat-deep': 'away', 'chat-spare': 'away' });
    expect(wintermute.packets).toBe(0);
    expect(await smoke(true)).toMatchObject({ 'chat-deep': 'ok', 'chat-hasty': 'ok', 'chat-spare': 'ok' });
    expect(wintermute.packets).toBe(1);
  });

  test('is answered by the next host where a wake fails, or refused with what failed', async () => {
    await asleep(wintermute);
    await asleep(armitage);
    armitage.manner = 'deaf';
    // How long its wake takes is known from the one before: it is held for it.
    const told = await refusal(await chat('chat-spare'));
    expect(told).toMatchObject({ code: 'host_asleep', retryAfter: 60 });
    expect(told.message).toMatch(/none could be woken: armitage: .*nothing was heard of it.*tried again in/);
    const either = await chat('chat-either');
    expect(await either.text()).toContain('"choices"');
    expect(either.headers.get('x-fabric-host')).toBe('wintermute');
  });
});
