import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { hostKeys, LightHost, type LightHostOptions } from '../harness/light-host.js';
import { type CliResult, runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';
import { startVllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

interface Detail {
  readonly hostId: string | null;
  readonly presence: string;
  readonly draining: boolean;
  readonly revokedAtMs: number | null;
  readonly requestsInFlight: number;
  readonly identity: { readonly enrolledAtMs: number; readonly keySha256: string } | null;
  readonly identityConflict: { readonly kind: string; readonly tries: number } | null;
  readonly issues: readonly { readonly code: string; readonly sinceMs: number; readonly fix: string }[];
  readonly events: readonly { readonly event: string; readonly detail: string | null }[];
}

describe('the life of a host', () => {
  let controlPlane: BootedControlPlane;
  const opened: LightHost[] = [];

  const run = (...args: readonly string[]): Promise<CliResult> =>
    runCli([...args, '--data', controlPlane.dataDirectory]);
  const json = async <Body>(...args: readonly string[]): Promise<Body> => {
    const { exitCode, stdout, stderr } = await run(...args, '--json');
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    return JSON.parse(stdout) as Body;
  };
  const show = (name: string): Promise<Detail> => controlPlane.api<Detail>(`/hosts/${name}`);
  const dial = (options: Omit<LightHostOptions, 'tlsUrl'>): LightHost => {
    const host = new LightHost({ tlsUrl: controlPlane.tlsUrl, ...options });
    opened.push(host);
    return host;
  };
  const joined = async (options: Omit<LightHostOptions, 'tlsUrl'>): Promise<LightHost> => {
    const host = dial({ ...options, joinToken: await controlPlane.joinToken() });
    expect(await host.link()).toMatchObject({ hostName: options.name });
    return host;
  };

  beforeEach(async () => {
    controlPlane = await BootedControlPlane.boot({
      fabric: fabricYaml({
        hosts: { armitage: {} },
        deployments: {
          'qwen-armitage': { host: 'armitage', url: 'http://127.0.0.1:9', servedModel: 'qwen' },
        },
        roles: { 'chat-fast': { targets: ['qwen-armitage'] } },
      }),
    });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((host) => host.close()));
    await controlPlane.close();
  });

  test('show tells who it is, what it keeps, for which roles, and since when', async () => {
    const armitage = await joined({ name: 'armitage' });
    armitage.serve('qwen-armitage');
    armitage.report({
      issues: [
        { code: 'driver_hung', subject: 'host', severity: 'error', detail: 'It hangs.', fix: 'Restart it.' },
      ],
    });
    await eventually('the issue is there', async () => (await show('armitage')).issues.length === 1);
    const host = await json<Detail>('hosts', 'show', 'armitage');
    expect(host).toMatchObject({
      presence: 'online',
      identity: { enrolledAtMs: expect.any(Number), keySha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      requestsInFlight: 0,
      deployments: [{ name: 'qwen-armitage', roles: ['chat-fast'], status: { phase: 'ready' } }],
      issues: [{ code: 'driver_hung', sinceMs: expect.any(Number), fix: 'Restart it.' }],
    });
    await eventually('its events are written', async () =>
      (await show('armitage')).events.some(({ event }) => event === 'linked'),
    );
    const { stdout } = await run('hosts', 'show', 'armitage');
    expect(stdout).toMatch(/joined +\d{4}-\d\d-\d\dT/);
    expect(stdout).toMatch(/driver_hung \(host\) for \d+ s: It hangs\./);
    expect(stdout).toMatch(/deployment +qwen-armitage \(qwen\), ready, for chat-fast/);
    expect(stdout).toMatch(/event +.* linked/);
  });

  test('no host is revoked where nobody can be asked', async () => {
    const asked = await run('hosts', 'revoke', 'armitage');
    expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('fix: add --yes') });
  });

  test('a revoked host loses its link at once, and does not come back with its key', async () => {
    const keys = hostKeys();
    const armitage = await joined({ name: 'armitage', keys });
    expect(await json('hosts', 'revoke', 'armitage', '--yes')).toMatchObject({
      presence: 'away',
      revokedAtMs: expect.any(Number),
    });
    await eventually('it was told', () => armitage.goodbye !== null);
    expect(armitage.goodbye).toMatchObject({ reason: 'revoked' });
    expect(await dial({ name: 'armitage', keys }).link()).toMatchObject({ reason: 'revoked' });
    // Nor with a token, and nobody takes its name with an ordinary one.
    const again = dial({ name: 'armitage', keys, joinToken: await controlPlane.joinToken() });
    expect(await again.link()).toMatchObject({ reason: 'revoked' });
    const other = dial({ name: 'armitage', joinToken: await controlPlane.joinToken() });
    expect(await other.link()).toMatchObject({ reason: 'name_taken' });
    expect((await run('hosts')).stdout).toMatch(/^armitage\s+revoked/m);
  });

  test('a revoked host stays revoked over a restart of the control plane', async () => {
    const keys = hostKeys();
    await joined({ name: 'armitage', keys });
    await controlPlane.api('/hosts/armitage/revoke', { method: 'POST' });
    const { dataDirectory } = controlPlane;
    await controlPlane.close(true);
    controlPlane = await BootedControlPlane.boot({ fabric: fabricYaml({}), dataDirectory });
    expect((await show('armitage')).revokedAtMs).not.toBeNull();
    expect(await dial({ name: 'armitage', keys }).link()).toMatchObject({ reason: 'revoked' });
  });

  test('a reinstalled machine keeps its name and history, and its former key is refused', async () => {
    const keys = hostKeys();
    const former = await joined({ name: 'armitage', keys, machine: 'before' });
    await controlPlane.api('/hosts/armitage/drain', { method: 'POST' });
    const before = await show('armitage');
    const made = await json<{ token: string; hostName: string }>('hosts', 're-enrol', 'armitage');
    expect(made.hostName).toBe('armitage');
    const thief = dial({ name: 'wintermute', machine: 'other', joinToken: made.token });
    expect(await thief.link()).toMatchObject({ reason: 'token_unknown' });

    const anew = dial({ name: 'armitage', machine: 'after', joinToken: made.token });
    expect(await anew.link()).toMatchObject({ hostName: 'armitage', hostId: before.hostId });
    await eventually('the former one was told', () => former.goodbye !== null);
    expect(former.goodbye).toMatchObject({ reason: 'revoked' });
    const after = await show('armitage');
    expect(after).toMatchObject({ hostId: before.hostId, draining: true, revokedAtMs: null });
    expect(after.identity?.keySha256).not.toBe(before.identity?.keySha256);
    expect(after.events.length).toBeGreaterThanOrEqual(before.events.length);
    expect(await dial({ name: 'armitage', keys, machine: 'before' }).link()).toMatchObject({
      reason: 'revoked',
    });
    expect(anew.isLinked).toBe(true);
  });

  test('a revoked host is let back by re-enrolment, with another key', async () => {
    await joined({ name: 'armitage' });
    await controlPlane.api('/hosts/armitage/revoke', { method: 'POST' });
    const { token } = await json<{ token: string }>('hosts', 're-enrol', 'armitage');
    expect(await dial({ name: 'armitage', joinToken: token }).link()).toMatchObject({ hostName: 'armitage' });
    expect(await show('armitage')).toMatchObject({ presence: 'online', revokedAtMs: null });
  });

  test('a removed host is forgotten; one that is declared stays listed as unseen', async () => {
    const armitage = await joined({ name: 'armitage' });
    await joined({ name: 'wintermute', machine: 'two' });
    const linked = await run('hosts', 'remove', 'armitage', '--yes');
    expect(linked).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('is linked') });
    expect(await run('hosts', 'remove', 'armitage')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--yes'),
    });
    const unused = await controlPlane.api<{ token: string }>('/hosts/armitage/re-enrol', {
      method: 'POST',
      body: {},
    });
    expect(await json('hosts', 'remove', 'armitage', '--yes', '--force')).toEqual({
      name: 'armitage',
      removed: true,
    });
    await eventually('it was told', () => armitage.goodbye !== null);
    expect(armitage.goodbye).toMatchObject({ reason: 'unknown_host' });
    expect(await show('armitage')).toMatchObject({ hostId: null, presence: 'unseen', events: [] });
    expect(await dial({ name: 'armitage', joinToken: unused.token }).link()).toMatchObject({
      reason: 'token_unknown',
    });

    // One that is revoked has no link; one that is not declared is gone.
    await controlPlane.api('/hosts/wintermute/revoke', { method: 'POST' });
    await controlPlane.api('/hosts/wintermute', { method: 'DELETE' });
    expect(await run('hosts', 'show', 'wintermute')).toMatchObject({ exitCode: 3 });
  }, 60_000);

  test('a key that comes from another machine is named, with both addresses, until somebody clears it', async () => {
    const keys = hostKeys();
    await joined({ name: 'armitage', keys, machine: 'one' });
    expect(await dial({ name: 'armitage', keys, machine: 'two' }).link()).toMatchObject({
      reason: 'machine_mismatch',
    });
    const host = await show('armitage');
    expect(host).toMatchObject({
      presence: 'online',
      identityConflict: {
        kind: 'another_machine',
        linkedFrom: '127.0.0.1',
        triedFrom: '127.0.0.1',
        tries: 1,
      },
      issues: [{ code: 'identity_in_use', fix: expect.stringContaining('re-enrol') }],
    });
    expect((await run('hosts')).stdout).toMatch(/^armitage.*identity_in_use/m);
    expect((await run('hosts', 'show', 'armitage')).stdout).toMatch(
      /cloned +another machine at 127\.0\.0\.1/,
    );
    await json('hosts', 'clear-conflict', 'armitage');
    expect(await show('armitage')).toMatchObject({ identityConflict: null, issues: [] });
    expect(await run('hosts', 'clear-conflict', 'armitage')).toMatchObject({ exitCode: 3 });
  }, 60_000);
});

describe('draining a host', () => {
  test('waits, when asked to, until none of our requests runs there', async () => {
    const engine = await startVllmSimulator({
      model: 'served',
      gaugeColdMs: 0,
      speed: { decodeTokensPerSecond: 10 },
      replyTokens: 1_000,
    });
    const controlPlane = await BootedControlPlane.boot({
      fabric: fabricYaml({
        hosts: { armitage: {} },
        deployments: { 'qwen-armitage': { host: 'armitage', url: engine.url, servedModel: 'served' } },
      }),
    });
    const { tlsUrl, dataDirectory } = controlPlane;
    const joinToken = await controlPlane.joinToken();
    const armitage = new LightHost({ tlsUrl, name: 'armitage', joinToken });
    try {
      await armitage.link();
      armitage.serve('qwen-armitage');
      const under = async () => (await controlPlane.api<Detail>('/hosts/armitage')).requestsInFlight;
      const client = new AbortController();
      let answer: Response | null = null;
      await eventually('it serves', async () => {
        answer = await controlPlane.post(
          '/v1/chat/completions',
          {
            model: 'qwen-armitage',
            stream: true,
            max_tokens: 1_000,
            messages: [{ role: 'user', content: 'Hello' }],
          },
          { signal: client.signal },
        );
        return answer.status === 200;
      });
      await eventually('it is under way', async () => (await under()) === 1);
      const args = ['hosts', 'drain', 'armitage', '--wait', '--data', dataDirectory];
      expect(await runCli([...args, '--timeout', '1s'])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('1 request still runs on armitage'),
      });
      const waiting = runCli([...args, '--json']);
      client.abort();
      const { exitCode, stdout } = await waiting;
      expect(exitCode).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ draining: true, requestsInFlight: 0 });
    } finally {
      await armitage.close();
      await controlPlane.close();
      await engine.close();
    }
  }, 60_000);
});
