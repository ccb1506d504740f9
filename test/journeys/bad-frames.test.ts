import { closeCodes, LINK_PATH, MAX_FRAME_BYTES } from '@ai-fabric/shared';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { LightHost } from '../harness/light-host.js';

/** Of RFC 6455. */
const TOO_BIG = 1009;

describe('whoever sends the link what it does not understand', () => {
  let controlPlane: BootedControlPlane;
  let armitage: LightHost;
  const logLines: string[] = [];

  beforeAll(async () => {
    controlPlane = await BootedControlPlane.boot({ fabric: fabricYaml({}), logLines });
    const { tlsUrl } = controlPlane;
    armitage = new LightHost({ tlsUrl, name: 'armitage', joinToken: await controlPlane.joinToken() });
    await armitage.link();
  });
  afterAll(async () => {
    await armitage?.close();
    await controlPlane?.close();
  });

  const frames: readonly (readonly [string, string | Buffer])[] = [
    ['a truncated frame', '{"id":"a1","type":"hello","sentAtMs":1,"bo'],
    ['bytes that are no text', Buffer.from([0, 255, 254, 1])],
    ['a report before it has said who it is', '{"id":"a1","type":"report","sentAtMs":1,"body":{"seq":1}}'],
    ['a hello without a proof', '{"id":"a1","type":"hello","sentAtMs":1,"body":{"hostName":"armitage"}}'],
  ];

  test.each(frames)(
    '%s: is told that this is no protocol of ours, and nobody else is touched',
    async (_, frame) => {
      const ended = await endOf(frame);
      expect(ended.code).toBe(closeCodes.protocol_error);
      expect(ended.goodbye).toMatchObject({ reason: 'protocol_error', detail: expect.any(String) });
      // What is said to a stranger holds no word of our own program.
      expect(JSON.stringify(ended.goodbye)).not.toMatch(/\.(js|ts):\d|node_modules|Error:/);
      expect(armitage.isLinked).toBe(true);
    },
  );

  test.each([
    ['of 10 MB', 10 * 1024 * 1024],
    ['just above the limit', MAX_FRAME_BYTES + 1],
  ])('a frame %s: is cut off before it is read', async (_, bytes) => {
    expect(await endOf(' '.repeat(bytes))).toMatchObject({ code: TOO_BIG });
    expect(armitage.isLinked).toBe(true);
  });

  test('and does it again and again fills neither the log nor the control plane', async () => {
    const before = logLines.length;
    await Promise.all(Array.from({ length: 30 }, () => endOf('nonsense').catch(() => undefined)));
    expect(logLines.length - before).toBeLessThan(30);
    expect(armitage.isLinked).toBe(true);
    expect(await controlPlane.api('/status')).toMatchObject({ linkedHosts: 1 });
  });

  /** Sends one frame after the challenge. */
  const endOf = (frame: string | Buffer): Promise<{ code: number; goodbye: unknown }> =>
    new Promise((resolve, reject) => {
      const url = `${controlPlane.tlsUrl.replace(/^http/, 'ws')}${LINK_PATH}`;
      const socket = new WebSocket(url, { rejectUnauthorized: false });
      let goodbye: unknown = null;
      socket.on('message', (data) => {
        const { type, body } = JSON.parse(String(data)) as { type: string; body: unknown };
        if (type === 'challenge') socket.send(frame);
        else if (type === 'goodbye') goodbye = body;
      });
      socket.once('error', reject);
      socket.once('close', (code) => resolve({ code, goodbye }));
    });
});
