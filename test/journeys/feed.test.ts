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

  const subscribe = (url: string, headers: Record<string, string>, query = ''): FeedSubscriber => {
    const subscriber = new FeedSubscriber(url, headers, query);
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

  test('our own page brings a ticket, which is good once and for that page alone', async () => {
    const { url } = controlPlane;
    const ask = async (origin: string) => {
      const headers = { ...admin, origin };
      const answer = await fetch(`${url}/api/v1/feed-tickets`, { method: 'POST', headers });
      return ((await answer.json()) as { ticket: string }).ticket;
    };
    const ticket = `?ticket=${await ask(url)}`;
    const feed = subscribe(url, { origin: url }, `${ticket}&kinds=hosts`);
    await eventually('the snapshot', () => feed.hosts.has('armitage'));
    expect(await subscribe(url, { origin: url }, ticket).refusedWith()).toBe(401);
    const stolen = `?ticket=${await ask(url)}`;
    expect(await subscribe(url, { origin: 'https://evil.example' }, stolen).refusedWith()).toBe(403);
    expect(await subscribe(url, {}, stolen).refusedWith()).toBe(401);
    const rebound = { origin: 'http://evil.example', host: 'evil.example' };
    expect(await subscribe(url, rebound, `?ticket=${await ask(url)}`).refusedWith()).toBe(403);
  });

  test('the admin token in a URL opens nothing, and a filter that is none is refused', async () => {
    const { url, adminToken } = controlPlane;
    expect(await subscribe(url, {}, `?token=${adminToken}`).refusedWith()).toBe(401);
    expect(await subscribe(url, {}, `?ticket=${adminToken}`).refusedWith()).toBe(401);
    expect(await subscribe(url, admin, '?kinds=everything').refusedWith()).toBe(400);
  });

  test('who was cut off for a moment goes on where it was', async () => {
    const feed = subscribe(controlPlane.url, admin, '?hosts=armitage&kinds=samples');
    await eventually('the snapshot', () => feed.messages.length > 0);
    const [snapshot] = feed.messages;
    if (snapshot?.type !== 'snapshot') throw new Error('no snapshot');
    await feed.close();
    const { seq } = feed.messages.findLast((each) => each.type !== 'goodbye') ?? snapshot;
    armitage.reportSample();
    const resume = `?hosts=armitage&kinds=samples&stream=${snapshot.stream}&resume=${seq}`;
    const again = subscribe(controlPlane.url, admin, resume).from(seq);
    await eventually('what it missed', () => again.samples.has('armitage'));
    expect(again.messages.map(({ type }) => type)).not.toContain('snapshot');
  });

  test('a plain request is told that this path speaks WebSocket', async () => {
    const answer = await fetch(`${controlPlane.url}/api/v1/telemetry`, { headers: admin });
    expect(answer.status).toBe(426);
  });
});
