import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { type FabricSpec, fabricYaml } from '../harness/fabric-yaml.js';
import { LightHost } from '../harness/light-host.js';
import { type CliResult, PROGRAMS, ProgramProcess, runCli } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';

const deployment = (host: string) => ({ host, url: 'http://127.0.0.1:9', servedModel: 'qwen' });
const ESTATE: FabricSpec = {
  hosts: { armitage: {}, wintermute: { mayBeAway: true } },
  deployments: { qwen: deployment('armitage'), llama: deployment('wintermute') },
  roles: { 'chat-fast': { targets: ['qwen', 'llama'] } },
  aliases: { 'local/chat': 'chat-fast' },
  gateway: { allowedOrigins: ['app://obsidian.md'] },
};

let home: TemporaryDirectory;
let controlPlane: BootedControlPlane;

const run = (...args: readonly string[]): Promise<CliResult> =>
  runCli([...args, '--data', controlPlane.dataDirectory]);
const revision = async (): Promise<number> =>
  (await controlPlane.api<{ revision: number }>('/declared')).revision;

function write(content: string | FabricSpec, name = 'fabric.yaml'): string {
  const file = join(home.path, name);
  writeFileSync(file, typeof content === 'string' ? content : fabricYaml(content));
  return file;
}

function apply(file: string, prune = false): Promise<unknown> {
  const document = parse(readFileSync(file, 'utf8'));
  return revision().then((expectedRevision) =>
    controlPlane.api('/declared/apply', { method: 'POST', body: { document, prune, expectedRevision } }),
  );
}

/** What is declared at the beginning of each test is the estate again. */
const restore = () => apply(write(ESTATE, 'estate.yaml'), true);

beforeAll(async () => {
  home = temporaryDirectory();
  controlPlane = await BootedControlPlane.boot({ fabric: fabricYaml(ESTATE) });
});
beforeEach(restore);
afterAll(async () => {
  await controlPlane?.close();
  home?.remove();
});

describe('a fabric file that is applied', () => {
  const changed: FabricSpec = {
    ...ESTATE,
    hosts: { ...ESTATE.hosts, motoko: {} },
    roles: { 'chat-fast': { targets: ['llama', 'qwen'] } },
  };

  test('is shown as a plan first, which changes nothing', async () => {
    const before = await revision();
    const shown = await run('diff', write(changed));
    expect(shown).toMatchObject({ exitCode: 10, stderr: '' });
    expect(shown.stdout).toContain('~ role chat-fast\n    targets: [qwen, llama] → [llama, qwen]');
    expect(shown.stdout).toContain('+ host motoko\n');
    expect(shown.stdout).toContain('1 added, 1 changed');
    expect(await revision()).toBe(before);
  });

  test('is applied once, and changes nothing the second time', async () => {
    const file = write(changed);
    const before = await revision();
    const applied = await run('apply', file, '--yes');
    expect(applied).toMatchObject({ exitCode: 10, stderr: '' });
    expect(applied.stdout).toContain(`applied: 1 added, 1 changed (now revision ${before + 1})`);
    const again = await run('apply', file, '--yes');
    expect(again).toMatchObject({ exitCode: 0, stderr: '' });
    expect(again.stdout).toBe(`nothing to change (revision ${before + 1})\n`);
    expect(await revision()).toBe(before + 1);
  });

  test('leaves alone what it does not name, and removes it with --prune', async () => {
    const file = write({ ...ESTATE, aliases: {} });
    const kept = await run('apply', file, '--yes');
    expect(kept).toMatchObject({ exitCode: 0 });
    expect(kept.stdout).toContain(
      'not in the file, and left alone (--prune removes them):\n    alias local/chat',
    );
    const pruned = await run('apply', file, '--yes', '--prune', '--json');
    expect(pruned).toMatchObject({ exitCode: 10 });
    expect(JSON.parse(pruned.stdout)).toMatchObject({
      changed: true,
      plan: { changes: [{ change: 'removed', kind: 'alias', name: 'local/chat' }], notInFile: [] },
    });
  });

  test('is given back by export, and applying that changes nothing', async () => {
    const out = join(home.path, 'exported.yaml');
    expect(await run('export', '--out', out)).toMatchObject({ exitCode: 0, stdout: '' });
    const text = readFileSync(out, 'utf8');
    expect(text).toMatch(/^# The declared state of an AI Fabric at revision \d+/);
    expect(text).not.toMatch(/null|^checks:/m);
    expect(await run('apply', out, '--prune', '--yes')).toMatchObject({ exitCode: 0 });
  });

  test('keeps what its models can do, and when targets are asked', { timeout: 90_000 }, async () => {
    const targets = [
      'llama',
      { target: 'qwen', when: { whenWaitExceeds: 5, capabilities: ['vision', 'tools'] } },
    ];
    const file = write({
      ...ESTATE,
      deployments: {
        ...ESTATE.deployments,
        qwen: { ...deployment('armitage'), capabilities: ['vision', 'tools'] },
      },
      roles: { 'chat-fast': { targets } },
    });
    const shown = await run('diff', file);
    expect(shown.stdout).toContain(
      'targets: [qwen, llama] → [llama, qwen when {"whenWaitExceeds":5,"capabilities":["tools","vision"]}]',
    );
    expect(shown.stdout).toContain('capabilities: (none) → [tools, vision]');
    expect(await run('apply', file, '--yes')).toMatchObject({ exitCode: 10 });
    expect(await run('diff', file)).toMatchObject({ exitCode: 0 });
    expect((await run('roles')).stdout).toContain('llama → qwen (wait > 5 s, for tools or vision)');
    const exported = parse((await run('export')).stdout);
    expect(exported.roles['chat-fast'].targets).toEqual([
      { deployment: 'llama' },
      {
        deployment: 'qwen',
        when: { whenWaitExceeds: 5, capabilities: ['tools', 'vision'], localOnly: false },
      },
    ]);
    expect(await run('diff', write(JSON.stringify(exported), 'exported.json'))).toMatchObject({
      exitCode: 0,
    });
  });

  test('is not exported over a file that is there, unless told so', async () => {
    const out = write({ hosts: {} });
    const before = readFileSync(out, 'utf8');
    const kept = await run('export', '--out', out);
    expect(kept).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('fix: name another file, or replace it with --force'),
    });
    expect(readFileSync(out, 'utf8')).toBe(before);
    expect(await run('export', '--out', out, '--force')).toMatchObject({ exitCode: 0 });
    expect(readFileSync(out, 'utf8')).toContain('qwen');
  });

  test('is not applied where nobody can be asked', async () => {
    const before = await revision();
    const result = await run('apply', write({ ...ESTATE, hosts: { ...ESTATE.hosts, motoko: {} } }));
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('fix: add --yes');
    expect(await revision()).toBe(before);
  });
});

describe('a file with a mistake', () => {
  test('is refused with its place, and nothing is applied', async () => {
    const before = await revision();
    const result = await run('apply', '--yes', write('version: 1\nhosts: { armitage: { mayBeAwy: true } }'));
    expect(result).toMatchObject({ exitCode: 4, stdout: '' });
    expect(result.stderr).toContain(
      'fabric.yaml:2:22: hosts.armitage.mayBeAwy: unknown key "mayBeAwy"; did you mean "mayBeAway"?',
    );
    expect(result.stderr).toContain('fix: mend the file; nothing was applied');
    expect(await revision()).toBe(before);
  });

  test('that only shows beside what is not in the file is refused, and --prune is named', async () => {
    const before = await revision();
    const file = write({
      hosts: { armitage: {} },
      deployments: { qwen: { ...deployment('armitage'), task: 'embeddings' } },
    });
    const piped = new ProgramProcess(PROGRAMS.controlPlane, [
      ...['apply', '-', '--yes', '--data', controlPlane.dataDirectory],
    ]);
    piped.child.stdin?.end(readFileSync(file));
    const result = await piped.ended();
    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('roles.chat-fast.targets[0]: expected a target for chat');
    expect(result.stderr).toContain('not in it: add that to the document, or prune it');
    expect(await revision()).toBe(before);
  });
});

describe('two applies at once', () => {
  test('the second one is refused with what to do, and nothing of it is applied', async () => {
    const planned = await revision();
    await apply(write({ ...ESTATE, hosts: { ...ESTATE.hosts, molly: {} } }));
    const second = write({ ...ESTATE, hosts: { ...ESTATE.hosts, motoko: {} } }, 'second.yaml');
    const late = await run('apply', second, '--yes', '--revision', String(planned));
    expect(late.exitCode).toBe(4);
    expect(late.stderr).toContain(
      `changed in between: it is at revision ${planned + 1}, not ${planned}; nothing was applied`,
    );
    expect(late.stderr).toContain(
      `fix: see what would change now with "ai-fabric diff ${second}", then apply again`,
    );
    expect(await revision()).toBe(planned + 1);
  });

  test('of a hundred on one revision exactly one is applied', async () => {
    const expectedRevision = await revision();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        controlPlane
          .api('/declared/apply', {
            method: 'POST',
            body: { document: { version: 1, hosts: { [`h${index}`]: {} } }, expectedRevision },
          })
          .then(
            () => 'applied',
            (error: Error) => (/"code":"conflict"/.test(error.message) ? 'conflict' : error.message),
          ),
      ),
    );
    expect(answers.filter((each) => each === 'applied')).toHaveLength(1);
    expect(answers.filter((each) => each === 'conflict')).toHaveLength(99);
    expect(await revision()).toBe(expectedRevision + 1);
  });
});

describe('drift', () => {
  const hosts: LightHost[] = [];
  const joinAs = async (name: string): Promise<LightHost> => {
    const joinToken = await controlPlane.joinToken();
    const host = new LightHost({ tlsUrl: controlPlane.tlsUrl, name, machine: name, joinToken });
    hosts.push(host);
    await host.link();
    return host;
  };
  beforeAll(async () => {
    (await joinAs('armitage')).serve('qwen', 'left-over');
    await joinAs('stranger');
  });
  afterAll(() => Promise.all(hosts.map((host) => host.close())));

  test('of the hosts from what is declared is listed', async () => {
    await expect.poll(hostDrift, { timeout: 10_000 }).toEqual([
      ['armitage', 'replica_not_declared', 'left-over'],
      ['stranger', 'host_not_declared', null],
      ['wintermute', 'host_never_joined', null],
    ]);
    const shown = await run('drift');
    expect(shown.exitCode).toBe(10);
    expect(shown.stdout).toContain('says what is declared.');
    expect(shown.stdout).toMatch(
      /^stranger\s+host_not_declared\s+host "stranger" has joined and is not declared/m,
    );
  });

  test('of the registry from the file of "up --config" is shown until the file is applied', async () => {
    const role = { task: 'chat', targets: [{ deployment: 'llama' }] };
    await controlPlane.api('/roles/chat-deep', { method: 'PUT', body: role });
    const drifted = await run('drift', '--json');
    expect(drifted.exitCode).toBe(10);
    expect(JSON.parse(drifted.stdout).file).toMatchObject({
      name: join(controlPlane.dataDirectory, 'fabric.yaml'),
      plan: { notInFile: [{ kind: 'role', name: 'chat-deep' }] },
    });
    expect(await controlPlane.api('/status')).toMatchObject({ fabricFileDiffers: true });
    await restore();
    expect(await controlPlane.api('/status')).toMatchObject({ fabricFileDiffers: false });
  });

  test('from a file that was spoilt since is told with its places', async () => {
    const file = join(controlPlane.dataDirectory, 'fabric.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, 'version: 1\nhosts: { a: { x: 1 } }\n');
    const { file: found } = await controlPlane.api<{ file: unknown }>('/declared/drift');
    writeFileSync(file, text);
    expect(found).toMatchObject({ plan: null, mistakes: [{ line: 2, column: 15, path: 'hosts.a.x' }] });
  });

  test('a file that renames a host warns of the agent that has joined under the old name', async () => {
    const renamed = write({
      ...ESTATE,
      hosts: { upstairs: {}, wintermute: { mayBeAway: true } },
      deployments: { ...ESTATE.deployments, qwen: deployment('upstairs') },
    });
    const plan = await run('diff', renamed, '--prune');
    expect(plan.stdout).toContain('- host armitage');
    expect(plan.stdout).toContain('+ host upstairs');
    expect(plan.stdout).toContain(
      'warning: host "armitage" looks renamed to "upstairs", but an agent has joined as "armitage"',
    );
  });
});

describe('a configuration of LiteLLM', () => {
  test('becomes a fabric.yaml without a control plane, and that can be applied', async () => {
    const config = write(
      [
        'model_list:',
        '  - model_name: chat-fast',
        '    litellm_params: { model: openai/qwen, api_base: http://armitage:8000/v1, rpm: 60 }',
      ].join('\n'),
      'config.yaml',
    );
    const out = join(home.path, 'imported.yaml');
    const made = await runCli(['import', 'litellm', config, '--out', out]);
    expect(made).toMatchObject({ exitCode: 0, stdout: `written to ${out}\n` });
    expect(made.stderr).toContain(`${config}:3: model_list[0].litellm_params.rpm: limits belong to keys`);
    await apply(out, true);
    const { items } = await controlPlane.api<{ items: unknown[] }>('/deployments');
    expect(items).toMatchObject([{ name: 'chat-fast', host: 'armitage', url: 'http://armitage:8000' }]);
    expect(await runCli(['import', 'litellm', config, '--out', out])).toMatchObject({ exitCode: 4 });
  });
});

async function hostDrift(): Promise<(string | null)[][]> {
  const { hosts } = await controlPlane.api<{
    hosts: { host: string; code: string; deployment: string | null }[];
  }>('/declared/drift');
  return hosts.map(({ host, code, deployment }) => [host, code, deployment]);
}
