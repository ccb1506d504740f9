import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyGpuReading, formatJoinToken, systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentDependencies } from './agent-dependencies.js';
import { JoinError, NotJoinedError } from './agent-errors.js';
import type { AgentConfig } from './config/agent-config.js';
import { readAgentConfig } from './config/read-agent-config.js';
import { joinFabric } from './join.js';
import { LinkError } from './link/link-failure.js';
import {
  FakeControlPlane,
  makeCertificate,
  type TestCertificate,
} from './link/testing/fake-control-plane.js';
import { ReportReader } from './reporter/testing/report-reader.js';
import { type Agent, startAgent } from './start-agent.js';
import { askStatus, askVerb, StateInUseError } from './status/status-socket.js';
import { fakeSensors } from './testing/fake-sensors.js';
import { QuickClock } from './testing/quick-clock.js';

let certificate: TestCertificate;
let otherCertificate: TestCertificate;
let directory: string;
const closing: (() => Promise<unknown>)[] = [];
const log = pino({ level: 'silent' });

beforeAll(async () => {
  [certificate, otherCertificate] = await Promise.all([makeCertificate(), makeCertificate()]);
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function startPlane(options: Partial<FakeControlPlane['options']> = {}): Promise<FakeControlPlane> {
  const plane = await FakeControlPlane.start({ certificate, ...options });
  closing.push(() => plane.close());
  return plane;
}

const configOf = (environment: Record<string, string> = {}): AgentConfig =>
  readAgentConfig({ state: directory, name: 'armitage' }, environment);

const token = (sha256 = certificate.sha256): string =>
  formatJoinToken({
    id: 'abcdefgh',
    secret: randomBytes(32).toString('base64url'),
    certificateSha256: sha256,
  });

const joinAs = (
  plane: FakeControlPlane,
  changed: { token?: string; force?: boolean; server?: string } = {},
) =>
  joinFabric(
    configOf(),
    { server: plane.url, token: token(), force: false, ...changed },
    { clock: systemClock(), random: Math.random, log },
  );

async function start(changed: Partial<AgentDependencies> = {}, environment = {}): Promise<Agent> {
  const agent = await startAgent(configOf(environment), {
    clock: systemClock(),
    random: Math.random,
    log,
    sensors: fakeSensors(),
    ...changed,
  });
  closing.push(() => agent.close());
  return agent;
}

const until = (condition: () => unknown): Promise<unknown> =>
  expect.poll(condition, { timeout: 30_000, interval: 5 }).toBeTruthy();

describe('joining', () => {
  test('shows the token to the holder of the pinned certificate and keeps what it says', async () => {
    const plane = await startPlane({ hostName: 'armitage-2' });
    const joinToken = token();
    const joined = await joinAs(plane, { token: `  ${joinToken}\n` });
    expect(joined).toEqual({
      serverUrl: plane.url,
      certificateSha256: certificate.sha256,
      hostId: 'host-1',
      hostName: 'armitage-2',
    });
    expect(plane.link.bodies('hello')[0]).toMatchObject({ joinToken, hostName: 'armitage' });
    expect(plane.link.proofHolds()).toBe(true);
    await until(() => plane.link.bodies('goodbye').length);
    expect(plane.link.bodies('goodbye')[0]?.reason).toBe('joined');
    await until(() => plane.link.closedWith === 4003);
  });

  test('a token that pins another certificate sends nothing, and leaves nothing joined', async () => {
    const plane = await startPlane();
    const joining = joinAs(plane, { token: token(otherCertificate.sha256) });
    await expect(joining).rejects.toMatchObject({ failure: { code: 'pin_mismatch' } });
    expect(plane.applicationBytes).toBe(0);
    await expect(start()).rejects.toThrow(NotJoinedError);
  });

  test.each(['token_used', 'token_expired', 'token_unknown', 'name_taken'] as const)(
    'a refusal (%s) is told, once',
    async (reason) => {
      const plane = await startPlane({ onOpen: (link) => link.goodbye(reason, `no: ${reason}`) });
      const error: unknown = await joinAs(plane).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(LinkError);
      expect(error).toMatchObject({ failure: { code: 'goodbye', reason }, message: `no: ${reason}` });
      expect(plane.links).toHaveLength(1);
    },
  );

  test.each([
    ['nothing', ''],
    ['a word', 'geheim'],
    ['a key', 'sk-abcdefghijklmnopqrstuvwxyz0123456789'],
  ])('%s is no token, and is not repeated', async (_what, text) => {
    const plane = await startPlane();
    const error: unknown = await joinAs(plane, { token: text }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'bad_token' });
    if (text !== '') expect(String(error)).not.toContain(text);
    expect(plane.connections).toBe(0);
  });

  test('a second time says what was joined, and does it only when forced', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    const other = await startPlane({ certificate: otherCertificate });
    await expect(joinAs(plane)).rejects.toThrow(/has joined this control plane as armitage.*--force/);
    await expect(joinAs(other)).rejects.toThrow(`another control plane, ${plane.url}, as armitage`);
    const [first] = plane.link.bodies('hello');
    await joinAs(other, { token: token(otherCertificate.sha256), force: true });
    expect(other.link.bodies('hello')[0]?.publicKey).toBe(first?.publicKey);
  });

  test('is refused while an agent runs on the same state', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    await start();
    const error: unknown = await joinAs(plane, { force: true }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JoinError);
    expect(error).toMatchObject({
      code: 'agent_running',
      message: expect.stringContaining(`${process.pid}`),
    });
  });
});

describe('an agent', () => {
  test('links and tells everything: what the host is, what it does, what is wrong', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    const agent = await start();
    await until(() => plane.reports.some(({ inventory }) => inventory));
    await until(() => plane.reports.some(({ telemetry }) => telemetry));
    await until(() => plane.reports.some(({ issues }) => issues?.length));
    expect(plane.link.bodies('hello')[0]).not.toHaveProperty('joinToken');
    expect(plane.link.badFrames).toEqual([]);
    expect(agent.status()).toMatchObject({
      hostName: 'armitage',
      server: plane.url,
      link: { state: 'linked', problem: null },
      issues: [{ code: 'no_gpu', severity: 'info' }],
    });
  });

  test('watches the engines that it is asked to watch, and calls one ready after a token', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    const asked: string[] = [];
    const engine = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const bodies: Record<string, unknown> = {
        '/v1/models': { data: [{ id: 'qwen', max_model_len: 4_096 }] },
        '/version': { version: '0.32.0' },
        '/v1/chat/completions': { choices: [{ message: { content: 'Y' } }], usage: { completion_tokens: 1 } },
      };
      const metrics = 'vllm:num_requests_running 2\nvllm:num_requests_waiting 1\n';
      response.end(request.url === '/metrics' ? metrics : JSON.stringify(bodies[request.url ?? ''] ?? ''));
    }).listen(0, '127.0.0.1');
    closing.push(async () => {
      engine.closeAllConnections();
      engine.close();
    });
    await start();
    await until(() => plane.links.length === 2 && plane.link.bodies('report').length);
    const { port } = engine.address() as AddressInfo;
    plane.link.command('c1', {
      name: 'apply_desired',
      revision: 3,
      replicas: [
        {
          deployment: 'qwen',
          task: 'chat',
          engine: 'external',
          url: `http://127.0.0.1:${port}`,
          servedModel: 'qwen',
        },
      ],
    });
    const phases = () => plane.reports.flatMap(({ replicas = [] }) => replicas.map(({ phase }) => phase));
    await until(() => phases().at(-1) === 'ready');
    expect(plane.link.bodies('outcome')[0]).toMatchObject({ commandId: 'c1', result: 'done' });
    await until(() =>
      plane.reports.some(({ telemetry }) => telemetry?.some(({ replicas }) => replicas?.['qwen'])),
    );
    const reading = plane.reports
      .flatMap(({ telemetry = [] }) => telemetry)
      .find(({ replicas }) => replicas?.['qwen']);
    expect(reading?.replicas?.['qwen']).toMatchObject({ running: 2, waiting: 1 });
    expect(asked).toContain('POST /v1/chat/completions');
    engine.closeAllConnections();
    engine.close();
    await until(() => phases().at(-1) === 'starting');
  });

  test('that was not installed refuses to be upgraded, and says how it is done', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    await start();
    await until(() => plane.links.length === 2 && plane.link.bodies('report').length);
    plane.link.command('c1', { name: 'offer_upgrade', version: '0.2.0', manifestSha256: 'ab'.repeat(32) });
    await until(() => plane.link.bodies('outcome').length);
    expect(plane.link.bodies('outcome')[0]).toMatchObject({
      ...{ commandId: 'c1', result: 'refused', code: 'not_installed' },
      detail: expect.stringContaining('ai-fabric-agent install'),
    });
  });

  test('loses nothing on a link that dies half-way', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    const clock = new QuickClock(10);
    const agent = await start({ clock, sensors: fakeSensors({ 'GPU-1': emptyGpuReading }) });
    await until(() => plane.reports.filter(({ telemetry }) => telemetry).length >= 3);
    const frozen = plane.link;
    frozen.freeze();
    await until(
      () => plane.links.length > 2 && plane.link !== frozen && plane.link.bodies('report').length > 4,
    );
    await until(() => agent.status().waitingSamples === 0);

    const reader = new ReportReader();
    for (const link of plane.links) {
      reader.newLink();
      for (const report of link.bodies('report')) reader.read(report);
    }
    const times = [...reader.samples.keys()].sort((a, b) => a - b);
    const gaps = times.slice(1).map((atMs, at) => atMs - (times[at] ?? 0));
    // Two seconds of the agent's time apart, a fifth of one of ours: the machine may be late.
    expect(Math.max(...gaps)).toBeLessThan(6_000);
    expect(reader.droppedSamples).toBe(0);
    expect(plane.links.some((link) => link.bodies('report').some(({ backfill }) => backfill))).toBe(true);
  });

  test('tells true ages while its clock is an hour off and is set right', async () => {
    const plane = await startPlane({ clockAheadMs: 3_600_000 });
    await joinAs(plane);
    const clock = new QuickClock(10);
    const agent = await start({ clock });
    await until(() => plane.reports.length > 3);
    // The other one's clock is a true one, and this one's runs ten times as fast.
    expect(Math.abs((agent.status().link.clockAheadMs ?? 0) + 3_600_000)).toBeLessThan(600_000);
    clock.jumpWallClock(3_600_000);
    const { startedAtMs, link } = agent.status();
    expect(Math.abs(link.clockAheadMs ?? Number.NaN)).toBeLessThan(600_000);
    for (const atMs of [startedAtMs, link.linkedSinceMs ?? 0])
      expect(clock.nowMs() - atMs).toBeLessThan(600_000);
    await until(() => plane.reports.length > 8);
    clock.jumpWallClock(-7_200_000);
    await until(() => plane.reports.length > 12);
    const frames = plane.links.flatMap((link) => link.frames);
    let lastMs = 0;
    for (const frame of frames) {
      if (frame.type !== 'report') continue;
      for (const { atMs } of frame.body.telemetry ?? []) {
        expect(frame.sentAtMs - atMs).toBeGreaterThanOrEqual(0);
        // An hour off is what it must not be; ten seconds of the agent's time are one of ours.
        expect(frame.sentAtMs - atMs).toBeLessThan(60_000);
        expect(atMs).toBeGreaterThan(lastMs);
        lastMs = atMs;
      }
    }
  });

  test('takes the name that the control plane gives it, and keeps it', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    const agent = await start();
    await until(() => agent.status().link.state === 'linked');
    await agent.close();
    const { port } = plane;
    await plane.close();
    const renamed = await startPlane({ port, hostName: 'wintermute' });
    const again = await start();
    await until(() => again.status().hostName === 'wintermute');
    await again.close();
    const third = await start();
    await until(() => renamed.links.length === 2 && renamed.link.bodies('hello').length);
    expect(renamed.link.bodies('hello')[0]?.hostName).toBe('wintermute');
    await third.close();
  });

  test('runs while the control plane is away, and says so', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    await plane.close();
    const agent = await start();
    await until(() => agent.status().link.problem?.includes('nothing listens there'));
    expect(agent.status().link).toMatchObject({ linkedSinceMs: null, clockAheadMs: null });
  });

  test('says goodbye, closes its sensors and can be closed twice', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    const sensors = fakeSensors();
    const agent = await start({ sensors });
    await until(() => agent.status().link.state === 'linked');
    await Promise.all([agent.close('shutdown'), agent.close()]);
    expect(plane.link.bodies('goodbye')).toMatchObject([{ reason: 'shutdown' }]);
    expect(sensors.closed).toBe(true);
    expect(await askStatus(directory, process.platform)).toBeNull();
  });

  test('several run in one process, each on its own state', async () => {
    const plane = await startPlane();
    const agents: Agent[] = [];
    for (const name of ['motoko', 'armitage', 'wintermute']) {
      const state = join(directory, name);
      const config = readAgentConfig({ state, name }, {});
      const dependencies = { clock: systemClock(), random: Math.random, log, sensors: fakeSensors() };
      await joinFabric(config, { server: plane.url, token: token(), force: false }, dependencies);
      const agent = await startAgent(config, dependencies);
      closing.push(() => agent.close());
      agents.push(agent);
    }
    await until(() => agents.every((agent) => agent.status().link.state === 'linked'));
    expect(
      new Set(plane.links.flatMap((link) => link.bodies('hello').map(({ publicKey }) => publicKey))).size,
    ).toBe(3);
  });
});

describe('an agent that is to be uninstalled', () => {
  test('ends its replicas first, and says when they have ended', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    const agent = await start();
    expect(agent.status().leaving).toBeNull();
    await askVerb(directory, process.platform, 'leave');
    await until(() => agent.status().leaving === 'free');
    expect(await askVerb(directory, process.platform, 'leave')).toMatchObject({ leaving: 'free' });
  });

  test('stays where that was given up, and can be asked again', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    const agent = await start();
    await askVerb(directory, process.platform, 'leave');
    expect(await askVerb(directory, process.platform, 'stay')).toMatchObject({ leaving: null });
    await askVerb(directory, process.platform, 'leave');
    await until(() => agent.status().leaving === 'free');
  });
});

describe('one agent per state directory', () => {
  test('a second one is refused, and told which process has it', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    await start();
    const error: unknown = await start().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StateInUseError);
    expect(String(error)).toContain(`process ${process.pid}`);
  });

  test.runIf(process.platform !== 'win32')('what a killed one left behind is no hindrance', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    await writeFile(join(directory, 'agent.sock'), '');
    const agent = await start();
    expect((await stat(join(directory, 'agent.sock'))).isSocket()).toBe(true);
    expect(await askStatus(directory, process.platform)).toMatchObject({ pid: process.pid });
    await agent.close();
  });

  test.runIf(process.platform !== 'win32')('one that hangs still has it', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    const hung = createSocketServer((socket) => socket.resume()).listen(join(directory, 'agent.sock'));
    closing.push(() => new Promise((resolve) => hung.close(resolve)));
    await expect(start()).rejects.toThrow(/does not answer/);
  });

  test.runIf(process.platform !== 'win32')('a key that others can read keeps it from starting', async () => {
    const plane = await startPlane();
    await joinAs(plane);
    await chmod(join(directory, 'host-key.pem'), 0o640);
    await expect(start()).rejects.toThrow(/chmod 600/);
  });
});
