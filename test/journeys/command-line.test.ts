import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { LightHost } from '../harness/light-host.js';
import { type CliResult, PROGRAMS, ProgramProcess, runCli } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';

const FABRIC = fabricYaml({
  hosts: { armitage: {}, wintermute: { mayBeAway: true } },
  deployments: {
    'qwen-armitage': { host: 'armitage', url: 'http://127.0.0.1:9', servedModel: 'qwen' },
    'llama-wintermute': { host: 'wintermute', url: 'http://127.0.0.1:9', servedModel: 'llama' },
  },
  roles: { 'chat-fast': { targets: ['qwen-armitage', 'llama-wintermute'] } },
  aliases: { 'local/chat': 'chat-fast' },
});

describe('ai-fabric', () => {
  let controlPlane: BootedControlPlane;
  let armitage: LightHost;
  let elsewhere: TemporaryDirectory;

  const run = (...args: readonly string[]): Promise<CliResult> =>
    runCli([...args, '--data', controlPlane.dataDirectory]);
  const json = async (...args: readonly string[]): Promise<unknown> => {
    const { exitCode, stdout, stderr } = await run(...args, '--json');
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    return JSON.parse(stdout);
  };

  beforeAll(async () => {
    elsewhere = temporaryDirectory();
    controlPlane = await BootedControlPlane.boot({ fabric: FABRIC });
    const { tlsUrl } = controlPlane;
    armitage = new LightHost({ tlsUrl, name: 'armitage', joinToken: await controlPlane.joinToken() });
    await armitage.link();
    armitage.serve('qwen-armitage');
    armitage.reportSample();
  });
  afterAll(async () => {
    await armitage?.close();
    await controlPlane?.close();
    elsewhere?.remove();
  });

  test('hosts lists those that are there and those that are only declared', async () => {
    const hosts = await json('hosts');
    expect(hosts).toMatchObject([
      {
        name: 'armitage',
        presence: 'online',
        declared: true,
        mayBeAway: false,
        sample: { host: { cpuRatio: 0.25 } },
      },
      { name: 'wintermute', presence: 'unseen', declared: true, mayBeAway: true, sample: null },
    ]);
    const table = await run('hosts');
    expect(table.stdout).toMatch(/^armitage\s+online\s+now/m);
    expect(table.stdout).toMatch(/^wintermute\s+unseen\s+never/m);
  });

  test('deployments and roles say who answers now', async () => {
    expect(await json('deployments')).toMatchObject([
      { name: 'llama-wintermute', host: 'wintermute', observed: null },
      { name: 'qwen-armitage', host: 'armitage', observed: { status: { phase: 'ready' } } },
    ]);
    expect(await json('roles', 'show', 'chat-fast')).toMatchObject({
      name: 'chat-fast',
      state: 'ready',
      servedBy: 'qwen-armitage',
      aliases: ['local/chat'],
      targets: [{ deployment: 'qwen-armitage' }, { deployment: 'llama-wintermute' }],
    });
  });

  test('a name that is a way up the path is refused, and nothing else is removed', async () => {
    for (const args of [
      ['models', 'rm', '../../armitage', '--host', 'wintermute'],
      ['models', 'rm', 'Qwen/..', '--host', 'armitage'],
      ['hosts', 'remove', '..', '--yes'],
      ['deployments', 'rm', '..'],
    ]) {
      const { exitCode, stderr } = await run(...args);
      expect(exitCode, `${args.join(' ')}: ${stderr}`).toBe(2);
    }
    expect(await json('hosts')).toMatchObject([
      { name: 'armitage', presence: 'online' },
      { name: 'wintermute' },
    ]);
  });

  test('a host is drained and takes requests again', async () => {
    const role = () => controlPlane.api<{ state: string }>('/roles/chat-fast');
    expect(await json('hosts', 'drain', 'armitage')).toMatchObject({ name: 'armitage', draining: true });
    expect(await role()).not.toMatchObject({ state: 'ready' });
    expect(await json('hosts', 'undrain', 'armitage')).toMatchObject({ draining: false });
    expect(await role()).toMatchObject({ state: 'ready' });
  });

  test('a token is shown once, listed without its secret, and revoked', async () => {
    const made = (await json('token', 'create', '--host', 'wintermute', '--ttl', '15m')) as {
      id: string;
      token: string;
    };
    expect(made.token).toMatch(/^aifj_/);
    const listed = (await json('token')) as { id: string; state: string; hostName: string }[];
    expect(listed.find(({ id }) => id === made.id)).toMatchObject({
      state: 'unused',
      hostName: 'wintermute',
    });
    const [, secret = 'none'] = made.token.split('.');
    expect(JSON.stringify(listed)).not.toContain(secret);
    expect(await json('token', 'revoke', made.id)).toEqual({ id: made.id, state: 'revoked' });
    const again = await run('token', 'revoke', made.id);
    expect(again.exitCode).toBe(3);
    expect(again.stderr).toContain('fix: list them: ai-fabric token list');
  });

  test('a token that goes to a file is not printed, and the file is for its owner alone', async () => {
    const file = join(elsewhere.path, 'wintermute.token');
    const result = await run('token', 'create', '--out', file);
    expect(result.exitCode).toBe(0);
    const token = readFileSync(file, 'utf8').trim();
    expect(token).toMatch(/^aifj_/);
    expect(result.stdout + result.stderr).not.toContain(token.slice(20));
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = await json('token', 'list');
    expect(await run('token', 'create', '--out', file)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('fix: name a file that is not there yet'),
    });
    expect(await json('token', 'list')).toHaveLength((before as unknown[]).length);
    expect(readFileSync(file, 'utf8').trim()).toBe(token);
  });

  test('audit says what was changed and what came of it, and holds no secret', async () => {
    await run('hosts', 'drain', 'armitage');
    await run('roles', 'remove', 'nobody');
    const entries = (await json('audit', '--limit', '2')) as unknown[];
    expect(entries).toMatchObject([
      { operationId: 'removeRole', params: { role: 'nobody' }, status: 404, code: 'not_found' },
      { operationId: 'drainHost', params: { host: 'armitage' }, status: 200, actor: 'admin token' },
    ]);
    const table = await run('audit', '--operation', 'drainHost');
    expect(table.stdout).toMatch(/admin token +drainHost +armitage +200/);
    expect(JSON.stringify(await json('audit'))).not.toContain('aifj_');
    expect((await run('audit', '--limit', '0')).exitCode).toBe(2);
    await run('hosts', 'undrain', 'armitage');
  });

  test('a name that is not there ends with exit code 3 and the names that are', async () => {
    const result = await run('hosts', 'show', 'armitag');
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('no host is called "armitag"; known are: armitage, wintermute');
  });

  test('what is still used is not removed: exit code 4', async () => {
    const result = await run('deployments', 'remove', 'qwen-armitage');
    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('chat-fast');
    expect(await json('deployments', 'show', 'qwen-armitage')).toMatchObject({ name: 'qwen-armitage' });
  });

  test('wrong usage ends with exit code 2 and says where help is', async () => {
    for (const args of [
      ['hosts', 'explode'],
      ['hosts', '--no-such-flag'],
      ['token', 'create', '--ttl', 'soon'],
      ['logs', 'qwen-armitage', '--since', 'yesterday'],
      ['logs', 'qwen-armitage', '--since', 'yesterday', '--server', 'https://127.0.0.1:9'],
      ['hosts', 'telemetry', 'armitage', '--from', 'yesterday'],
      ['hosts', 'telemetry', 'armitage', '--step', 'often'],
      ['nonsense'],
    ]) {
      const result = await runCli(args);
      expect(result, args.join(' ')).toMatchObject({ exitCode: 2 });
      expect(result.stderr, args.join(' ')).toContain('--help');
    }
  });

  test('an empty listing says which of the names that it was asked for is none', async () => {
    const asked = await run('requests', '--role', 'chat-fats', '--key', 'nope', '--host', 'armitag');
    expect(asked.stdout).toBe('(none)\n');
    expect(asked.stderr.split('\n')).toEqual([
      'note: there is no key nope now',
      'note: there is no role chat-fats now; did you mean chat-fast?',
      'note: there is no host armitag now; did you mean armitage?',
      '',
    ]);
    const alias = await run('requests', '--role', 'local/chat');
    expect(alias.stderr).toBe('note: local/chat is an alias; its requests are those of chat-fast\n');
    const audit = await run('audit', '--operation', 'drainHosts');
    expect(audit.stderr).toBe('note: there is no operation drainHosts now; did you mean drainHost?\n');
  });

  test('it ends without a word when whoever reads its output has had enough', async () => {
    const program = new ProgramProcess(PROGRAMS.controlPlane, [
      'hosts',
      '--data',
      controlPlane.dataDirectory,
    ]);
    program.child.stdout?.destroy();
    const { exitCode, stderr } = await program.ended();
    expect({ exitCode, stderr }).toEqual({ exitCode: 141, stderr: '' });
  });

  test('help has examples and the exit codes, and is no error', async () => {
    const help = await runCli(['--help']);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    expect(help.stdout).toContain('Exit codes:');
    const ofToken = await runCli(['token', '--help']);
    expect(ofToken.exitCode).toBe(0);
    expect(ofToken.stdout).toContain('Examples:');
  });

  test('where no control plane runs the answer is exit code 5 and how to start one', async () => {
    const result = await runCli(['hosts', '--data', elsewhere.path]);
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain('fix: start one with "ai-fabric up"');
  });

  test('a control plane with another certificate than expected gets no admin token: exit code 5', async () => {
    const result = await run('hosts', '--certificate-sha256', '0'.repeat(64));
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain('not the expected');
  });

  test('a wrong admin token is exit code 4', async () => {
    const file = join(elsewhere.path, 'wintermute.token');
    const result = await run('hosts', '--admin-token-file', file);
    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('the admin token is wrong');
  });
});
