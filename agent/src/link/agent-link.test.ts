import { generateKeyPairSync, sign } from 'node:crypto';
import {
  type Clock,
  type Command,
  MAX_FRAME_BYTES,
  PROTOCOL_VERSION,
  type Report,
  systemClock,
} from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AgentLink, type AgentLinkOptions, type LinkIdentity } from './agent-link.js';
import type { CommandResult } from './decide/command-book.js';
import type { LinkFailure } from './link-failure.js';
import type { LinkSocketListener } from './link-socket.js';
import { FakeControlPlane, makeCertificate, type TestCertificate } from './testing/fake-control-plane.js';

let certificate: TestCertificate;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  certificate = await makeCertificate();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function identity(): LinkIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
    machineSha256: 'cd'.repeat(32),
    instanceId: 'instance-1',
    agentVersion: '0.1.0',
    build: { commit: 'ab'.repeat(20), packaged: true },
    bootId: 'boot-1',
    hostName: 'armitage',
  };
}

interface Trial {
  link: AgentLink;
  linked: string[];
  failures: LinkFailure[];
  acked: number[];
  executed: number[];
  lines: string[];
}

function startLink(plane: FakeControlPlane, changed: Partial<AgentLinkOptions> = {}, clock?: Clock): Trial {
  const trial: Omit<Trial, 'link'> = { linked: [], failures: [], acked: [], executed: [], lines: [] };
  const log = pino({ level: 'info' }, { write: (line: string) => void trial.lines.push(line) });
  const link = new AgentLink({
    address: plane.address,
    identity: identity(),
    clock: clock ?? systemClock(),
    random: () => 0.1,
    log,
    sentAtMs: () => 1_700_000_000_000,
    execute: (command) => {
      if (command.name === 'apply_desired') trial.executed.push(command.revision);
      return Promise.resolve({ result: 'done' });
    },
    listener: {
      linked: ({ hostName }) => void trial.linked.push(hostName),
      down: (failure) => void trial.failures.push(failure),
      acked: (seq) => void trial.acked.push(seq),
    },
    ...changed,
  });
  closing.push(() => link.stop('service_stop', 'the test is over'));
  link.start();
  return { link, ...trial };
}

async function startPlane(options: Partial<FakeControlPlane['options']> = {}): Promise<FakeControlPlane> {
  const plane = await FakeControlPlane.start({ certificate, ...options });
  closing.push(() => plane.close());
  return plane;
}

const until = (condition: () => unknown): Promise<unknown> =>
  expect.poll(condition, { timeout: 30_000, interval: 5 }).toBeTruthy();

const report = (seq: number): Report => ({ seq, issues: [] });

describe('a link over real TLS', () => {
  test('proves its key for this nonce and this certificate, and is welcome', async () => {
    const plane = await startPlane();
    const { link, linked } = startLink(plane);
    await until(() => linked.length);
    expect(plane.link.proofHolds()).toBe(true);
    expect(plane.applicationBytes).toBeGreaterThan(0);
    expect(plane.link.bodies('hello')[0]).not.toHaveProperty('joinToken');
    expect(link.state).toMatchObject({ name: 'linked', hostId: 'host-1', hostName: 'armitage' });
  });

  test('sends reports and hears their acks', async () => {
    const plane = await startPlane();
    const { link, linked, acked } = startLink(plane);
    expect(link.sendReport(report(1))).toBe('held');
    await until(() => linked.length);
    expect(link.sendReport(report(1))).toBe('sent');
    await until(() => acked.includes(1));
    expect(plane.reports).toEqual([report(1)]);
  });

  test('a report that no frame can hold is refused, and the link stays', async () => {
    const plane = await startPlane();
    const { link, linked } = startLink(plane);
    await until(() => linked.length);
    const detail = 'x'.repeat(MAX_FRAME_BYTES);
    const issue = { code: 'gpu_lost', subject: 'GPU-1', severity: 'error', detail, fix: null } as const;
    expect(link.sendReport({ seq: 1, issues: [issue] })).toBe('too_large');
    expect(link.state.name).toBe('linked');
  });

  test('says goodbye with its reason when it is stopped, and leaves no connection', async () => {
    const plane = await startPlane();
    const { link, linked } = startLink(plane);
    await until(() => linked.length);
    await link.stop('service_stop', 'the service is stopped');
    expect(plane.link.bodies('goodbye')).toEqual([
      { reason: 'service_stop', detail: 'the service is stopped' },
    ]);
    await until(() => plane.link.closedWith === 1001);
  });

  test('can be stopped while the control plane stands still', async () => {
    const plane = await startPlane();
    const { link, linked } = startLink(plane);
    await until(() => linked.length);
    plane.link.freeze();
    const startedMs = performance.now();
    await link.stop('service_stop', 'the service is stopped');
    expect(performance.now() - startedMs).toBeLessThan(8_000);
  });

  test('comes back after the control plane restarts', async () => {
    const plane = await startPlane();
    const { linked, failures } = startLink(plane);
    await until(() => linked.length === 1);
    const { port } = plane;
    await plane.close();
    closing.splice(closing.length - 2, 1);
    await until(() => failures.length);
    const again = await startPlane({ port });
    await until(() => linked.length === 2);
    expect(again.link.proofHolds()).toBe(true);
  });

  test('a proof is worth nothing on another link: each has its own nonce', async () => {
    const plane = await startPlane();
    const { linked } = startLink(plane);
    await until(() => linked.length === 1);
    plane.link.terminate();
    await until(() => linked.length === 2);
    const [first, second] = plane.links.map((link) => link.bodies('hello')[0]?.proof);
    expect(first).not.toBe(second);
    expect(plane.links.every((link) => link.proofHolds())).toBe(true);
  });
});

describe('what a control plane may send', () => {
  test.each<[string, (plane: FakeControlPlane) => void]>([
    ['text that is not JSON', (plane) => plane.link.sendRaw('{"id":')],
    ['a binary frame', (plane) => plane.link.sendRaw(Buffer.from([1, 2, 3]))],
    ['a frame larger than any', (plane) => plane.link.sendRaw(`"${'x'.repeat(10 * 1024 * 1024)}"`)],
    [
      'an ack without a number',
      (plane) => plane.link.sendRaw('{"id":"1","type":"ack","sentAtMs":1,"body":{}}'),
    ],
    ['a second welcome', (plane) => plane.link.welcome()],
    ['bytes that are no WebSocket frame', (plane) => plane.link.sendGarbage(Buffer.alloc(64, 0xff))],
    ['text that is not UTF-8', (plane) => plane.link.sendGarbage(Buffer.from([0x81, 0x02, 0xc3, 0x28]))],
  ])('%s ends the link, in words, and the next one stands', async (_what, send) => {
    const plane = await startPlane();
    const { linked, failures, lines } = startLink(plane);
    await until(() => linked.length === 1);
    send(plane);
    await until(() => linked.length === 2);
    expect(failures).toMatchObject([
      { code: 'protocol_error', detail: expect.stringMatching(/^The control plane sent /) },
    ]);
    expect(lines.filter((line) => line.includes('link: lost'))).toHaveLength(1);
  });

  test('a frame of a type that only a newer one knows is ignored', async () => {
    const plane = await startPlane();
    const { link, linked, acked } = startLink(plane);
    await until(() => linked.length);
    plane.link.sendRaw('{"id":"1","type":"lullaby","sentAtMs":1,"body":{}}');
    link.sendReport(report(1));
    await until(() => acked.length);
    expect(plane.links).toHaveLength(1);
  });

  test.each<[string, (plane: FakeControlPlane) => void]>([
    ['no challenge', () => undefined],
    ['an ack before the welcome', (plane) => plane.link.send('ack', { seq: 1 })],
  ])('%s is no link', async (_what, send) => {
    const clock = new ManualClock();
    const plane = await startPlane({ onOpen: () => undefined });
    const { link, failures } = startLink(plane, {}, clock);
    await until(() => link.state.name === 'proving');
    send(plane);
    await until(() => {
      clock.advance(1_000);
      return failures.length;
    });
    expect(['silent', 'protocol_error']).toContain(failures[0]?.code);
  });

  test('an HTTP refusal in place of a link is a failure that names the status', async () => {
    const plane = await startPlane({ refuseWith: 503 });
    const { failures } = startLink(plane);
    await until(() => failures.length);
    expect(failures[0]).toMatchObject({
      code: 'not_a_control_plane',
      detail: expect.stringContaining('503'),
    });
  });

  test('a goodbye that needs an operator is one line, and the agent waits a minute', async () => {
    const clock = new ManualClock();
    const plane = await startPlane({ onOpen: (link) => link.goodbye('revoked', 'This host was revoked.') });
    const { failures, lines } = startLink(plane, {}, clock);
    await until(() => failures.length === 1);
    clock.advance(54_000);
    expect(plane.links).toHaveLength(1);
    clock.advance(1_200);
    await until(() => failures.length === 2);
    expect(plane.links).toHaveLength(2);
    expect(lines.filter((line) => line.includes('"level":50')).length).toBeLessThanOrEqual(2);
    expect(lines[0]).toContain('This host was revoked.');
  });

  test('a close code speaks for a goodbye that did not get through', async () => {
    const plane = await startPlane();
    const { linked, failures } = startLink(plane);
    await until(() => linked.length);
    plane.link.close(4010);
    await until(() => failures.length);
    expect(failures[0]).toMatchObject({ code: 'goodbye', reason: 'superseded' });
  });
});

describe('a half-dead link', () => {
  test('is given up after a ping without an answer, and another is dialled', async () => {
    const clock = new ManualClock();
    const plane = await startPlane();
    const { linked, failures } = startLink(plane, {}, clock);
    await until(() => linked.length === 1);
    plane.link.freeze();
    clock.advance(5_000);
    clock.advance(5_999);
    expect(failures).toEqual([]);
    clock.advance(1);
    expect(failures).toMatchObject([{ code: 'silent' }]);
    await until(() => {
      clock.advance(250);
      return linked.length === 2;
    });
  });

  test('that answers pings lives as long as it does', async () => {
    const clock = new ManualClock();
    const plane = await startPlane();
    const { linked, failures } = startLink(plane, {}, clock);
    await until(() => linked.length === 1);
    for (let ping = 1; ping <= 20; ping += 1) {
      clock.advance(5_000);
      await until(() => plane.link.pings >= ping);
      // The pong needs the loop's turn; while it is out the deadline must not pass.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(failures).toEqual([]);
  });

  test('holds reports back when the other side does not read', () => {
    let listener: LinkSocketListener | null = null;
    let bufferedBytes = 0;
    const sent: string[] = [];
    const plane = { address: { url: 'https://x:1', host: 'x', port: 1, certificateSha256: 'ab'.repeat(32) } };
    const { link } = startLink(plane as FakeControlPlane, {
      clock: new ManualClock(),
      openSocket: (_address, given) => {
        listener = given;
        return { abort: () => undefined };
      },
    });
    const heard = (type: string, body: object): void =>
      listener?.message(JSON.stringify({ id: '1', type, sentAtMs: 1, body }));
    (listener as LinkSocketListener | null)?.opened({
      certificateSha256: 'ab'.repeat(32),
      localAddress: null,
      send: (text) => void sent.push(text),
      bufferedBytes: () => bufferedBytes,
      ping: () => undefined,
      close: () => listener?.ended({ code: 'lost', detail: 'closed' }),
      terminate: () => listener?.ended({ code: 'lost', detail: 'closed' }),
    });
    heard('challenge', { nonce: 'bm9uY2Vub25jZW5vbmNl', protocolVersion: 1 });
    heard('welcome', { hostId: 'h', hostName: 'armitage', protocolVersion: 1, serverTimeMs: 1 });
    expect(link.sendReport(report(1))).toBe('sent');
    bufferedBytes = 1024 * 1024 + 1;
    expect(link.sendReport(report(2))).toBe('held');
    bufferedBytes = 0;
    expect(link.sendReport(report(2))).toBe('sent');
  });
});

describe('a control plane of another protocol step', () => {
  const offer = { name: 'offer_upgrade', version: '0.2.0', manifestSha256: 'ab'.repeat(32) } as const;

  test.each([
    ['one step older', PROTOCOL_VERSION - 1],
    ['of this step', PROTOCOL_VERSION],
    ['one step newer', PROTOCOL_VERSION + 1],
  ])('%s is linked with, reported to, and obeyed', async (_what, protocolVersion) => {
    const plane = await startPlane({ protocolVersion });
    const { link, linked, acked, executed } = startLink(plane);
    await until(() => linked.length === 1);
    expect(plane.link.bodies('hello')[0]).toMatchObject({
      ...{ protocolVersion: PROTOCOL_VERSION, commit: 'ab'.repeat(20), packaged: true },
    });
    expect(link.sendReport({ seq: 1, upgrade: null })).toBe('sent');
    await until(() => acked.includes(1));
    plane.link.command('c1', { name: 'apply_desired', revision: 4, replicas: [] });
    await until(() => executed.includes(4));
    expect(plane.links).toHaveLength(1);
  });

  test('one step newer may ask for what this one does not know: it is told so, and the link stays', async () => {
    const plane = await startPlane({ protocolVersion: PROTOCOL_VERSION + 1 });
    const { linked } = startLink(plane);
    await until(() => linked.length === 1);
    const body = { commandId: 'c7', ttlMs: 1_000, command: { ...offer, ofALaterStep: true } };
    plane.link.sendRaw(JSON.stringify({ id: '1', type: 'command', sentAtMs: 1, body }));
    await until(() => plane.link.bodies('outcome').length);
    expect(plane.link.bodies('outcome')).toMatchObject([{ result: 'refused', code: 'invalid_command' }]);
    expect(plane.links).toHaveLength(1);
  });
});

describe('commands', () => {
  const desired = (revision: number): Command => ({ name: 'apply_desired', revision, replicas: [] });

  test('are done once and answered each time they come', async () => {
    const plane = await startPlane();
    const { linked, executed } = startLink(plane);
    await until(() => linked.length);
    plane.link.command('c1', desired(1));
    plane.link.command('c1', desired(1));
    await until(() => plane.link.bodies('outcome').length >= 1);
    plane.link.command('c1', desired(1));
    await until(() => plane.link.bodies('outcome').length >= 2);
    expect(executed).toEqual([1]);
    expect(plane.link.bodies('outcome')).toContainEqual({
      commandId: 'c1',
      result: 'done',
      code: null,
      detail: null,
    });
  });

  test('are done in their order, one after the other', async () => {
    const plane = await startPlane();
    const running: ((result: CommandResult) => void)[] = [];
    const { linked } = startLink(plane, {
      execute: () => new Promise((resolve) => void running.push(resolve)),
    });
    await until(() => linked.length);
    plane.link.command('c1', desired(1));
    plane.link.command('c2', desired(2), 1);
    plane.link.command('c3', desired(3));
    await until(() => running.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running[0]?.({ result: 'failed', code: 'internal', detail: 'no' });
    await until(() => plane.link.bodies('outcome').length === 2);
    expect(plane.link.bodies('outcome').map(({ commandId, result }) => [commandId, result])).toEqual([
      ['c1', 'failed'],
      ['c2', 'expired'],
    ]);
    expect(running).toHaveLength(2);
  });

  test('that this version does not know are refused by their id', async () => {
    const plane = await startPlane();
    const { linked } = startLink(plane);
    await until(() => linked.length);
    const body = { commandId: 'c7', ttlMs: 1_000, command: { name: 'power_off' } };
    plane.link.sendRaw(JSON.stringify({ id: '1', type: 'command', sentAtMs: 1, body }));
    await until(() => plane.link.bodies('outcome').length);
    expect(plane.link.bodies('outcome')).toMatchObject([
      { commandId: 'c7', result: 'refused', code: 'invalid_command' },
    ]);
    expect(plane.links).toHaveLength(1);
  });

  test('whose outcome may be lost with the link are answered again on the next', async () => {
    const plane = await startPlane({ acks: false });
    const running: ((result: CommandResult) => void)[] = [];
    const { linked } = startLink(plane, {
      execute: () => new Promise((resolve) => void running.push(resolve)),
    });
    await until(() => linked.length === 1);
    plane.link.command('c1', desired(1));
    await until(() => running.length === 1);
    plane.link.terminate();
    running[0]?.({ result: 'done' });
    await until(() => linked.length === 2);
    await until(() => plane.link.bodies('outcome').length === 1);
    plane.link.terminate();
    await until(() => linked.length === 3);
    await until(() => plane.link.bodies('outcome').length === 1);
    expect(plane.link.bodies('outcome')[0]).toMatchObject({ commandId: 'c1', result: 'done' });
  });

  test('that throw are an outcome, not a crash', async () => {
    const plane = await startPlane();
    const { linked } = startLink(plane, { execute: () => Promise.reject(new Error('disk full')) });
    await until(() => linked.length);
    plane.link.command('c1', desired(1));
    await until(() => plane.link.bodies('outcome').length);
    expect(plane.link.bodies('outcome')[0]).toMatchObject({ result: 'failed', code: 'internal' });
  });
});
