import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTarGzip } from 'nanotar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { type CliResult, runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';

interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly where: { readonly kind: string; readonly name: string };
  readonly what: string;
  readonly fix: string | null;
  readonly latencyMs: number | null;
}
interface SmokeResult {
  readonly name: string;
  readonly stream: boolean;
  readonly outcome: string;
  readonly code: string;
  readonly replica: string;
  readonly dimensions: number | null;
}

/** Stands in an address of the file itself. */
const PLANTED = 'sk-planted-0123456789abcdef';

// Each runs the command line several times.
describe('doctor and smoke on a fabric with an away host, a broken engine and a cloud', {
  timeout: 60_000,
}, () => {
  let fabric: BootedFabric;
  let elsewhere: string;
  const run = (...args: readonly string[]): Promise<CliResult> =>
    runCli([...args, '--data', fabric.controlPlane.dataDirectory]);

  beforeAll(async () => {
    elsewhere = mkdtempSync(join(tmpdir(), 'ai-fabric-bundle-'));
    fabric = await BootedFabric.boot({
      hosts: {
        motoko: {
          cards: {},
          engines: {
            'bge-motoko': { task: 'embeddings', embeddingDimensions: 768 },
            'qwen-motoko': {},
            'dead-motoko': {},
          },
        },
        wintermute: { agent: 'none', mayBeAway: true, engines: { 'llama-wintermute': {} } },
      },
      cloud: {},
      roles: {
        'chat-fast': { targets: ['qwen-motoko', 'openai/cheap'] },
        'chat-dead': { targets: ['dead-motoko'] },
        'chat-deep': { targets: ['llama-wintermute', 'openai/strong'] },
        'chat-away': { targets: ['llama-wintermute'] },
        'chat-cloud': { targets: ['openai/strong'] },
        embeddings: { task: 'embeddings', targets: ['bge-motoko'], dimensions: 768 },
        'embeddings-other': { task: 'embeddings', targets: ['bge-motoko'], dimensions: 1024 },
      },
      checks: { webhook: { url: `http://127.0.0.1:9/hooks/${PLANTED}` } },
      aliases: { 'local/chat': 'chat-fast', 'local/qwen': 'qwen-motoko' },
    });
    await fabric.engine('dead-motoko').close();
    await fabric
      .untilPhase('dead-motoko', 'starting')
      .catch(() => fabric.untilPhase('dead-motoko', 'failed'));
  }, 60_000);
  afterAll(async () => {
    await fabric?.close();
    rmSync(elsewhere, { recursive: true, force: true });
  });

  test('doctor names the broken engine with its fix, and takes the away host for what it is', async () => {
    const { exitCode, stdout, stderr } = await run('doctor', '--json');
    expect(stderr).toBe('');
    expect(exitCode).toBe(21);
    const { worst, findings } = JSON.parse(stdout) as { worst: string; findings: Finding[] };
    expect(worst).toBe('error');
    const errors = findings.filter(({ severity }) => severity === 'error');
    expect(new Set(errors.map(({ where }) => `${where.kind} ${where.name}`))).toEqual(
      new Set(['role chat-dead', 'deployment dead-motoko']),
    );
    for (const each of errors) expect(each.fix, each.code).not.toBeNull();
    expect(findings.slice(0, errors.length)).toEqual(errors);
    const about = (kind: string, name: string) =>
      findings.filter(({ where }) => where.kind === kind && where.name === name);
    expect(about('host', 'wintermute')).toMatchObject([{ code: 'host_never_joined', severity: 'info' }]);
    expect(about('host', 'motoko').map(({ code }) => code)).toEqual(
      expect.arrayContaining(['host', 'driver']),
    );
    expect(about('deployment', 'qwen-motoko')).toMatchObject([{ code: 'replica', severity: 'ok' }]);
    expect(about('provider', 'openai')).toMatchObject([{ code: 'provider', severity: 'ok' }]);
    expect(about('control plane', 'control plane').map(({ code }) => code)).toEqual(
      expect.arrayContaining(['reachable', 'gateway', 'disk', 'registry', 'clock']),
    );
    expect(findings.find(({ code }) => code === 'gateway')?.latencyMs).toBeGreaterThan(0);
    expect(fabric.cloud.simulator.requests.filter(({ path }) => path.includes('completions'))).toEqual([]);
  });

  test('doctor of one healthy deployment tells of it and its host, and is content', async () => {
    const result = await run('doctor', 'qwen-motoko');
    expect(result.stdout).toContain('deployment qwen-motoko');
    expect(result.stdout).toContain('host motoko');
    expect(result.stdout).not.toContain('dead-motoko');
    expect(result.stdout).not.toContain('\u001b[');
    expect(result.exitCode).toBe(0);
    expect(await run('doctor', 'nobody')).toMatchObject({ exitCode: 3 });
  });

  test('smoke tells broken from away and skipped, and spends nothing', async () => {
    const before = fabric.cloud.simulator.requests.length;
    const { exitCode, stdout, stderr } = await run('smoke', '--json');
    expect(stderr).toBe('');
    expect(exitCode).toBe(21);
    const { results } = JSON.parse(stdout) as { results: SmokeResult[] };
    const outcomes = Object.fromEntries(
      results.map(({ name, stream, outcome, code }) => [
        `${name}${stream ? ' stream' : ''}`,
        `${outcome} ${code}`,
      ]),
    );
    expect(outcomes).toEqual({
      'chat-fast': 'ok ok',
      'chat-fast stream': 'ok ok',
      'chat-dead': expect.stringMatching(/^broken /),
      'chat-dead stream': expect.stringMatching(/^broken /),
      'chat-deep': 'skipped local_only',
      'chat-deep stream': 'skipped local_only',
      'chat-away': 'away host_away',
      'chat-away stream': 'away host_away',
      'chat-cloud': 'skipped local_only',
      'chat-cloud stream': 'skipped local_only',
      embeddings: 'ok ok',
      'embeddings-other': 'broken wrong_dimensions',
      'local/chat': 'ok ok',
      'local/qwen': 'ok ok',
    });
    expect(results.find(({ name }) => name === 'embeddings')).toMatchObject({
      replica: 'bge-motoko',
      dimensions: 768,
    });
    expect(fabric.cloud.simulator.requests.length).toBe(before);
  });

  test('what smoke was refused is kept apart from what clients were', async () => {
    const page = await run('requests', '--key', 'admin', '--json');
    const items = JSON.parse(page.stdout) as { role: string; outcome: string }[];
    const outcomesOf = (role: string) =>
      new Set(items.filter((each) => each.role === role).map(({ outcome }) => outcome));
    expect(outcomesOf('chat-away')).toEqual(new Set(['check_refused']));
    const failed = await run('requests', '--key', 'admin', '--failed');
    expect(failed.stdout).not.toContain('chat-away');
  });

  test('smoke asks the cloud when it is told to', async () => {
    const { stdout } = await run('smoke', '--cloud', '--json');
    const { results } = JSON.parse(stdout) as { results: SmokeResult[] };
    const deep = results.filter(({ name }) => name === 'chat-deep');
    expect(deep).toMatchObject([
      { outcome: 'ok', replica: 'openai/strong' },
      { outcome: 'ok', replica: 'openai/strong' },
    ]);
  });

  test('a request that forbids the cloud is refused where only the cloud would answer', async () => {
    const headers = { 'content-type': 'application/json', 'x-fabric-local-only': 'true' };
    const answer = await fabric.chat('chat-cloud', {}, { headers });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'local_only' } });
  });

  test('checks tells what was found last', async () => {
    const { stdout, exitCode } = await run('checks');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^doctor: ran \d+ s ago; runs only when it is asked for$/m);
    expect(stdout).toContain('smoke: ran');
    expect(stdout).toContain('deployment dead-motoko');
  });

  test('a bundle holds what helps, and no secret', async () => {
    const file = join(elsewhere, 'fabric.tar.gz');
    const key = readFileSync(fabric.cloud.keyFile, 'utf8').trim();
    const result = await run('doctor', '--bundle', file);
    expect(result.stdout).toContain(`wrote ${file}`);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const files = await parseTarGzip(readFileSync(file));
    const names = files.map(({ name }) => name.replace('ai-fabric-bundle/', ''));
    expect(names.sort()).toEqual([
      'README.txt',
      'checks.json',
      'doctor.json',
      'events.json',
      'fabric.json',
      'hosts.json',
      'log.json',
      'replicas.json',
      'targets.json',
      'versions.json',
    ]);
    const text = files.map((each) => each.text).join('\n');
    expect(text).toContain('qwen-motoko');
    expect(text).toContain('linked');
    expect(text).toContain('control plane is up');
    for (const secret of [key, fabric.controlPlane.adminToken, PLANTED, 'PRIVATE KEY']) {
      expect(text).not.toContain(secret);
    }
    expect((await run('doctor', '--bundle', file)).stderr).toContain('name a file that is not there yet');
  });

  test('a certificate that is not the pinned one is named, and no admin token is sent', async () => {
    const { exitCode, stdout } = await run('doctor', '--json', '--certificate-sha256', '0'.repeat(64));
    expect(exitCode).toBe(21);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    expect(findings[0]).toMatchObject({ code: 'certificate_mismatch', severity: 'error' });
  });

  test('a key that has gone from its place is named while it is still used as it last was', async () => {
    rmSync(fabric.cloud.keyFile);
    let found: Finding | undefined;
    await eventually('the key is missed', async () => {
      const { findings } = await fabric.controlPlane.api<{ findings: Finding[] }>('/checks/doctor', {
        method: 'POST',
        body: {},
      });
      found = findings.find(({ code }) => code === 'provider_key_unread');
      return found !== undefined;
    });
    expect(found).toMatchObject({ severity: 'warning', where: { kind: 'provider', name: 'openai' } });
    expect(found?.what).toContain('missing after a restart');
  });

  test('doctor says something useful while the control plane is down, from what it left', async () => {
    await fabric.controlPlane.close(true);
    const { exitCode, stdout } = await run('doctor', '--json');
    expect(exitCode).toBe(21);
    const { findings, lastKnown } = JSON.parse(stdout) as {
      findings: Finding[];
      lastKnown: { problems: Finding[] };
    };
    expect(findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['registry', 'disk']));
    const errors = findings.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code }) => code)).toEqual(['control_plane_stopped']);
    expect(lastKnown.problems.map(({ where }) => where.name)).toContain('dead-motoko');
    const text = await run('doctor');
    expect(text.stdout).toContain('When doctor last looked');
    rmSync(fabric.controlPlane.dataDirectory, { recursive: true, force: true });
  });
});
