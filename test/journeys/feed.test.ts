import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { FeedSubscriber } from '../harness/feed-subscriber.js';
import { LightHost } from '../harness/light-host.js';
import { eventually } from '../simulators/common/eventually.js';

describe('the telemetry feed', () => {
  let controlPlane: BootedControlPlane;
  let armitage: LightHost;
  let admin: { authorization: string };
  const subscribers: FeedSubscriber[] = [];

  const subscribe = (url: string, headers: Record<string, string>): FeedSubscriber => {
    const subscriber = new FeedSubscriber(url, headers);
    subscribers.push(subscriber);
    return subscriber;
  };

  beforeAll(async () => {
    controlPlane = await BootedControlPlane.boot({
      fabric: fabricYaml({
        hosts: { armitage: {} },
        deployments: {
          'qwen-armitage': { host: 'armitage', url: 'http://127.0.0.1:9', servedModel: 'qwen' },
        },
      }),
    });
    admin = { authorization: `Bearer ${controlPlane.adminToken}` };
    const { tlsUrl } = controlPlane;
    armitage = new LightHost({ tlsUrl, name: 'armitage', joinToken: await controlPlane.joinToken() });
    await armitage.link();
    armitage.reportSample();
  });
  afterAll(async () => {
    await Promise.all(subscribers.map((subscriber) => subscriber.close()));
    await armitage?.close();
    await controlPlane?.close();
  });

  test('a subscriber gets everything once, then what changes, with no gap', async () => {
    await eventually('the first sample is there', async () => {
      const host = await controlPlane.api<{ sample: unknown }>('/hosts/armitage');
      return host.sample !== null;
    });
    const feed = subscribe(controlPlane.url, admin);
    await eventually('the snapshot', () => feed.messages.length > 0);
    expect(feed.messages[0]?.type).toBe('snapshot');
    expect(feed.hosts.get('armitage')).toMatchObject({ presence: 'online' });
    expect(feed.samples.get('armitage')?.host.cpuRatio).toBe(0.25);

    armitage.serve('qwen-armitage');
    await eventually('the replica', () => feed.replicas.get('qwen-armitage')?.status.phase === 'ready');
    const before = feed.samples.get('armitage')?.atMs ?? 0;
    armitage.reportSample();
    await eventually('a newer sample', () => (feed.samples.get('armitage')?.atMs ?? 0) > before);
    expect(feed.messages.slice(1).map(({ type }) => type)).not.toContain('snapshot');
  });

  test('over TLS it is the same, for who is elsewhere', async () => {
    const feed = subscribe(controlPlane.tlsUrl, admin);
    await eventually('the snapshot', () => feed.hosts.has('armitage'));
  });

  test('a subscriber sees what was filled in of the past', async () => {
    const feed = subscribe(controlPlane.url, admin);
    await eventually('the snapshot', () => feed.messages.length > 0);
    const beforeMs = Date.now();
    armitage.reportSample(120_000);
    const stretches = () =>
      feed.messages.flatMap((each) => (each.type === 'change' ? (each.backfilled ?? []) : []));
    await eventually('a stretch of the past', () => stretches().length > 0);
    expect(stretches()[0]?.host).toBe('armitage');
    expect(Math.abs((stretches()[0]?.fromMs ?? 0) - (beforeMs - 120_000))).toBeLessThan(5_000);
  });

  test('without the admin token there is none', async () => {
    expect(await subscribe(controlPlane.url, {}).refusedWith()).toBe(401);
    expect(await subscribe(controlPlane.url, { authorization: 'Bearer not-needed' }).refusedWith()).toBe(401);
  });

  test('a web page gets none, whatever it holds', async () => {
    const page = { ...admin, origin: 'app://obsidian.md' };
    expect(await subscribe(controlPlane.url, page).refusedWith()).toBe(403);
  });

  test('a plain request is told that this path speaks WebSocket', async () => {
    const answer = await fetch(`${controlPlane.url}/api/v1/telemetry`, { headers: admin });
    expect(answer.status).toBe(426);
  });
});
