import { describeReplica, type Orphan, type ReplicaStatus } from '@ai-fabric/shared';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { LightHost } from '../harness/light-host.js';
import { type CliResult, PROGRAMS, ProgramProcess, runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';

interface Deployment {
  readonly wish: string;
  readonly model: string;
  readonly contextTokens: number | null;
  readonly restartCount: number;
  readonly adopt: string | null;
  readonly observed: { readonly status: { readonly phase: string } } | null;
}

describe('a deployment on the command line', () => {
  let controlPlane: BootedControlPlane;
  let motoko: LightHost;

  const args = (...given: readonly string[]) => [...given, '--data', controlPlane.dataDirectory];
  const run = (...given: readonly string[]): Promise<CliResult> => runCli(args(...given));
  const show = () => controlPlane.api<Deployment>('/deployments/chat-motoko');

  const orphans: Orphan[] = [{ containerId: '9a1b2c3d4e5f', name: 'ai-fabric-old', deployment: 'old' }];
  const tell = (phase: ReplicaStatus['phase'], more: Partial<ReplicaStatus> = {}) =>
    motoko.report({ replicas: [describeReplica({ deployment: 'chat-motoko', phase, ...more })] });
  const told = async (phase: ReplicaStatus['phase'], more: Partial<ReplicaStatus> = {}) => {
    tell(phase, more);
    await eventually(phase, async () => (await show()).observed?.status.phase === phase);
  };

  beforeAll(async () => {
    controlPlane = await BootedControlPlane.boot({
      fabric: fabricYaml({
        hosts: { motoko: {} },
        deployments: { watched: { host: 'motoko', url: 'http://127.0.0.1:9', servedModel: 'm' } },
        roles: { 'chat-fast': { targets: ['watched'] } },
      }),
    });
    const { tlsUrl } = controlPlane;
    motoko = new LightHost({ tlsUrl, name: 'motoko', joinToken: await controlPlane.joinToken() });
    await motoko.link();
  });
  afterAll(async () => {
    await motoko?.close();
    await controlPlane?.close();
  });

  test('is created from a preset, after a plan that shows what it comes to', async () => {
    const given = ['deployments', 'create', 'chat-motoko', '--host', 'motoko', '--preset', 'chat-fast'];
    const dry = await run(...given, '--dry-run');
    expect(dry.stdout).toMatch(/^\+ deployment chat-motoko$/m);
    expect(dry.stdout).toMatch(/^ {4}model: \S+\/\S+$/m);
    expect(dry.stdout).toContain('nothing was declared');
    await expect(show()).rejects.toThrow('404');
    const done = await run(...given, '--context', '4096', '--env', 'HF_TOKEN=env:HF_TOKEN', '--parkable');
    expect(done).toMatchObject({ exitCode: 0, stderr: '' });
    expect(done.stdout).toContain('contextTokens: 4096');
    expect(done.stdout).toContain('declared: 1 added');
    expect(await show()).toMatchObject({
      contextTokens: 4096,
      environment: { HF_TOKEN: { env: 'HF_TOKEN' } },
      parkable: true,
    });
    expect(await run(...given)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('deployments set chat-motoko'),
    });
  });

  test('may be on a host that has joined and stands in no file: it is declared with it', async () => {
    const { tlsUrl } = controlPlane;
    const wintermute = new LightHost({
      tlsUrl,
      name: 'wintermute',
      joinToken: await controlPlane.joinToken(),
    });
    await wintermute.link();
    const given = ['--host', 'wintermute', '--preset', 'chat-fast'];
    const done = await run('deployments', 'create', 'chat-wintermute', ...given);
    expect(done.stdout).toMatch(/^\+ host wintermute$/m);
    expect(done).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await controlPlane.api('/hosts/wintermute')).toMatchObject({ declared: true });
    await wintermute.close();
    expect(
      await run('deployments', 'create', 'chat-nobody', '--host', 'nobody', '--preset', 'chat-fast'),
    ).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('unknown host "nobody"'),
    });
  });

  test('is changed field by field, and refused as a fabric.yaml would be', async () => {
    const changed = await run('deployments', 'set', 'chat-motoko', '--context', '8192', '--gpu', '0');
    expect(changed.stdout).toContain('contextTokens: 4096 → 8192');
    expect(await show()).toMatchObject({ contextTokens: 8192, gpu: { select: 'index', index: 0 } });
    const wrong = await run('deployments', 'set', 'chat-motoko', '--model', '--trust-remote-code');
    expect(wrong).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('deployments.chat-motoko.model'),
    });
    expect(await run('deployments', 'set', 'chat-motoko')).toMatchObject({ exitCode: 2 });
    expect(await run('deployments', 'set', 'nobody', '--context', '1')).toMatchObject({ exitCode: 3 });
  });

  test('is waited for, with bytes and times told meanwhile', async () => {
    await told('pulling', { progress: { doneBytes: 1024 ** 3, totalBytes: 3 * 1024 ** 3, text: 'layers' } });
    const wait = new ProgramProcess(
      PROGRAMS.controlPlane,
      args('deployments', 'wait', 'chat-motoko', '--for', 'ready', '--timeout', '60s'),
    );
    await eventually('bytes', () => wait.stderr.includes('chat-motoko: pulling, 1.0 of 3.0 GiB'));
    tell('loading', { phaseSeconds: 31, usualPhaseSeconds: { p50: 48, p95: 90 } });
    await eventually('times', () => /loading, usually 48 s, 3\d s so far/.test(wait.stderr));
    tell('ready');
    expect(await wait.ended()).toMatchObject({ exitCode: 0, stdout: 'chat-motoko is ready\n' });
  });

  test('is stopped, started, restarted, parked: each is written, and told to its agent', async () => {
    const wish = async (verb: string) => {
      expect(await run('deployments', verb, 'chat-motoko')).toMatchObject({ exitCode: 0, stderr: '' });
      return (await show()).wish;
    };
    expect(await wish('stop')).toBe('stopped');
    expect(await run('deployments', 'wait', 'chat-motoko')).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('ai-fabric deployments start chat-motoko'),
    });
    expect(await wish('start')).toBe('running');
    expect(await wish('park')).toBe('parked');
    expect(await wish('unpark')).toBe('running');
    expect(await wish('restart')).toBe('running');
    expect((await show()).restartCount).toBe(1);
    const refused = await run('deployments', 'stop', 'watched');
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('somebody else runs it') });
  });

  test('that does not come in time ends the wait with what stands in the way', async () => {
    await told('failed', { code: 'vram_insufficient', detail: 'It needs 9.1 GiB, 7.5 GiB are free.' });
    const late = await run('deployments', 'wait', 'chat-motoko', '--timeout', '1s', '--json');
    expect(late.exitCode).toBe(1);
    const lines = late.stderr.trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      error: { message: expect.stringContaining('needs 9.1 GiB'), code: 'timeout' },
    });
  });

  test('shows everything that is seen of it', async () => {
    await told('ready', {
      container: {
        id: 'abcdef0123456789',
        image: 'vllm/vllm-openai:v1',
        startedAtMs: Date.now(),
        adopted: true,
      },
      drift: ['published on 0.0.0.0, declared for loopback'],
      fit: { verdict: 'tight', neededBytes: 8e9, freeBytes: 7e9, detail: 'contextTokens: 4096 would fit' },
    });
    const { stdout } = await run('deployments', 'show', 'chat-motoko');
    for (const each of ['abcdef012345 of vllm/vllm-openai:v1', 'adopted', 'published on 0.0.0.0', 'tight']) {
      expect(stdout).toContain(each);
    }
    expect(stdout).toContain('its tunnel is down');
  });

  test('takes a container that runs already', async () => {
    const adopt = ['deployments', 'adopt', 'chat-motoko'];
    const refused = await run(...adopt, '--container', 'nginx');
    expect(refused.stdout).toMatch(/^warning: the agent on "motoko" will refuse "chat-motoko" \(adopt: /m);
    const taken = await run(...adopt, '--container', 'vllm-motoko');
    expect(taken).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('warning') });
    expect((await show()).adopt).toBe('vllm-motoko');
    expect(await run(...adopt, '--release')).toMatchObject({ exitCode: 0 });
    expect((await show()).adopt).toBeNull();
  });

  test('has no log while its host has no tunnel, and says so', async () => {
    const refused = await run('logs', 'chat-motoko', '--tail', '5');
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no tunnel') });
    expect(await run('logs', 'watched')).toMatchObject({ exitCode: 4 });
  });

  test('is removed from its roles and for good, and what it left from its host', async () => {
    const role = { task: 'chat', targets: [{ deployment: 'watched' }, { deployment: 'chat-motoko' }] };
    await controlPlane.api('/roles/chat-fast', { method: 'PUT', body: role });
    expect(await run('deployments', 'rm', 'chat-motoko')).toMatchObject({ exitCode: 4 });
    const removed = await run('deployments', 'rm', 'chat-motoko', '--from-roles', 'chat-fast');
    expect(removed).toMatchObject({ exitCode: 0, stdout: 'chat-motoko is removed\n' });
    motoko.report({ orphans });
    await eventually('an orphan', async () => {
      return (await controlPlane.api<{ orphans: Orphan[] }>('/hosts/motoko')).orphans.length === 1;
    });
    const asked = await run('deployments', 'rm', '--orphans', 'motoko');
    expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('ai-fabric-old') });
    const gone = await run('deployments', 'rm', '--orphans', 'motoko', '--yes');
    expect(gone).toMatchObject({ exitCode: 0, stdout: 'removed ai-fabric-old\n' });
  });
});
