import { afterAll, beforeAll, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { describeThorough } from '../harness/real-part.js';
import { type SleepingHost, SleepingHosts } from '../harness/sleeping-hosts.js';
import { fastClock } from '../harness/test-clocks.js';
import { eventually } from '../simulators/common/eventually.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

/** The control plane lives five seconds in one. */
const FACTOR = 5;

interface Standing {
  readonly state: string;
  readonly goingToSleep: { readonly phase: string } | null;
  readonly keptAwakeBy: { readonly guard: string } | null;
  readonly last: { readonly outcome: string; readonly askedBy: string } | null;
}
interface Report {
  readonly wakes: readonly {
    readonly wake: { readonly host: string; readonly askedBy: string; readonly role: string | null };
    readonly requests: { readonly count: number } | null;
  }[];
  readonly events: readonly {
    readonly host: string;
    readonly state: string;
    readonly cause: string | null;
  }[];
}

describeThorough('a host that is put to sleep', {}, () => {
  let hosts: SleepingHosts;
  let controlPlane: BootedControlPlane;
  let wintermute: SleepingHost;
  const engines: VllmSimulator[] = [];

  beforeAll(async () => {
    hosts = await SleepingHosts.listen();
    const engine = await startVllmSimulator({ name: 'wintermute', model: 'deep-model' });
    engines.push(engine);
    controlPlane = await BootedControlPlane.boot({
      fabric: fabricYaml({
        hosts: {
          wintermute: {
            mayBeAway: true,
            wake: { cooldownMinutes: 0, minimumUpMinutes: 0, timeoutSeconds: 60 },
            sleep: { afterIdleMinutes: 0.5, drainSeconds: 20 },
          },
        },
        deployments: { deep: { host: 'wintermute', url: engine.url, servedModel: 'deep-model' } },
        roles: { 'chat-deep': { targets: ['deep'], patienceSeconds: 200 } },
      }),
      config: { wakePorts: [hosts.port] },
      clock: fastClock(FACTOR),
    });
    wintermute = await hosts.add(controlPlane, 'wintermute', ['deep']);
  }, 60_000);
  afterAll(async () => {
    await hosts?.close();
    await controlPlane?.close();
    await Promise.all(engines.map((engine) => engine.close()));
  });

  const chat = (more: object = {}) =>
    controlPlane.post('/v1/chat/completions', {
      ...{ model: 'chat-deep', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 },
      ...more,
    });
  const standing = () => controlPlane.api<Standing>('/hosts/wintermute/sleep');
  const untilAsleep = () =>
    eventually('wintermute sleeps', async () => (await standing()).state === 'asleep');

  test('stays awake by itself while nobody has seen it come back', async () => {
    expect((await standing()).keptAwakeBy?.guard).toBe('wake_not_proven');
  });

  test('goes when an operator says so, and the next request brings it back', async () => {
    const asked = await controlPlane.api<Standing>('/hosts/wintermute/sleep?waitSeconds=50', {
      ...{ method: 'POST', body: {} },
    });
    expect(asked).toMatchObject({ state: 'asleep', last: { outcome: 'asleep', askedBy: 'operator' } });
    const answer = await chat({ stream: true });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('[DONE]');
    expect(wintermute.packets).toBe(1);
  });

  test('goes by itself once it was seen to come back, and is kept awake where somebody says so', async () => {
    await untilAsleep();
    expect((await standing()).last).toMatchObject({ outcome: 'asleep', askedBy: 'idle' });
    expect((await chat({ stream: true })).status).toBe(200);
    await controlPlane.api('/hosts/wintermute/keep-awake', {
      ...{ method: 'POST', body: { seconds: 3_600 } },
    });
    expect((await standing()).keptAwakeBy?.guard).toBe('keep_awake');
    await controlPlane.api('/hosts/wintermute/keep-awake', {
      ...{ method: 'POST', body: { seconds: 0 } },
    });
    await untilAsleep();
  });

  test('has its hours, its wakes and what they were for in the report of power', async () => {
    await eventually('the report knows of both wakes', async () => {
      const { wakes } = await controlPlane.api<Report>('/power');
      return wakes.length === 2 && wakes.every(({ requests }) => (requests?.count ?? 0) > 0);
    });
    const { wakes, events } = await controlPlane.api<Report>('/power');
    expect(wakes[0]?.wake).toMatchObject({ host: 'wintermute', askedBy: 'request', role: 'chat-deep' });
    const slept = events.filter(({ state }) => state === 'asleep').map(({ cause }) => cause);
    expect(slept).toEqual(['idle', 'idle', 'operator']);
  });
});
