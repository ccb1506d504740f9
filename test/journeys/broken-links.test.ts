import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentHost } from '../harness/agent-host.js';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { CutOffProxy } from '../harness/cut-off-proxy.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { describeThorough } from '../harness/real-part.js';
import { sampleTimes } from '../harness/sample-times.js';
import { fastClock } from '../harness/test-clocks.js';
import { eventually } from '../simulators/common/eventually.js';

/** The programs live ten seconds in one: a minute's cut takes six. */
const FACTOR = 10;
const CADENCE_MS = 2_000;
/** The history tells times of samples to the second. */
const SECOND_MS = 1_000;

describeThorough('a link', {}, () => {
  const clock = fastClock(FACTOR);
  let controlPlane: BootedControlPlane;
  let network: CutOffProxy;
  let armitage: AgentHost;

  beforeEach(async () => {
    controlPlane = await BootedControlPlane.boot({
      fabric: fabricYaml({ hosts: { armitage: { mayBeAway: true } } }),
      clock,
    });
    network = await CutOffProxy.start(controlPlane.tlsUrl);
    armitage = await AgentHost.prepare({ name: 'armitage', clock, cadenceMs: CADENCE_MS });
    await armitage.join(network.url, await controlPlane.joinToken());
    await armitage.start();
    // Its deadlines come ten times as soon too: on a machine with other work the first links may miss them.
    await eventually('samples arrive', async () => (await samples()).length > 3, 45_000);
  });
  afterEach(async () => {
    await armitage.remove();
    await network.close();
    await controlPlane.close();
  });

  const samples = (from: number | string = '5m') =>
    sampleTimes((path) => controlPlane.api(path), 'armitage', from);
  const presence = async (): Promise<string> =>
    (await controlPlane.api<{ presence: string }>('/hosts/armitage')).presence;
  const passed = (fromMs: number, ms: number) =>
    eventually(`${ms} ms of its time have passed`, () => clock.nowMs() - fromMs >= ms);

  test.each([
    ['that is cut for a minute', () => network.cut()],
    ['whose other end falls silent for a minute', () => network.fallSilent()],
  ])('%s backfills its telemetry', async (_, breakIt) => {
    const brokenAtMs = clock.nowMs();
    breakIt();
    await eventually('it is late', async () => (await presence()) === 'late');
    await eventually('it is away', async () => (await presence()) === 'away');
    await eventually('the agent knows too', () => armitage.agent.status().link.state !== 'linked');
    await passed(brokenAtMs, 60_000);
    // As of now nothing of that minute but its first moments arrived.
    expect(await samples(brokenAtMs + 10_000)).toEqual([]);
    const mendedAtMs = clock.nowMs();
    network.resume();
    await eventually('it is online again', async () => (await presence()) === 'online');
    // Of every two seconds of the minute there is a sample, each in its place; two may fall into one on a busy machine.
    await eventually('the minute is filled', async () => {
      const times = [brokenAtMs, ...(await samples(brokenAtMs))];
      const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
      return (times.at(-1) ?? 0) > mendedAtMs && Math.max(...gaps) < 3 * CADENCE_MS + SECOND_MS;
    });
    const times = await samples(brokenAtMs);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(new Set(times).size).toBe(times.length);
    expect(armitage.agent.status()).toMatchObject({ waitingSamples: expect.any(Number), droppedSamples: 0 });
  });

  test('that breaks for a moment leaves its host online', async () => {
    const seen = new Set<string>();
    const brokenAtMs = clock.nowMs();
    network.cut();
    await eventually('the agent sees it', () => armitage.agent.status().link.state !== 'linked');
    network.resume();
    await eventually('it is back', async () => {
      seen.add(await presence());
      return armitage.agent.status().link.state === 'linked';
    });
    // Three seconds of ours are what takes it away: a machine that stood still for them shows nothing.
    if (clock.nowMs() - brokenAtMs < 25_000) expect(seen).not.toContain('away');
  });

  test('of an agent that says goodbye is away at once, with the reason', async () => {
    await armitage.stop('suspend');
    await eventually('it is away', async () => (await presence()) === 'away');
    expect(await controlPlane.api('/hosts/armitage')).toMatchObject({ goodbyeReason: 'suspend' });
  });
});
