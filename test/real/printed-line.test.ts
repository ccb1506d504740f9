import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeSelfSigned } from '@ai-fabric/control-plane/testing';
import { parseJoinToken } from '@ai-fabric/shared';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { CutOffProxy } from '../harness/cut-off-proxy.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { curl, describeReal, mountNamespaces, xz } from '../harness/real-part.js';
import { ReleaseFolderStage } from '../harness/release-folder.js';
import { runCli } from '../harness/run-program.js';
import { type ShellResult, ShellTools } from '../harness/shell-tools.js';

interface NewToken {
  readonly token: string;
  readonly install: { readonly linux: string | null; readonly windows: string | null } | null;
}

const PIN = /--pin '([^']+)'/;
const OTHER_PIN = `${'A'.repeat(43)}=`;
/** Of an `sh` of the machine itself: the tools of a test have none that is called so. */
const SHELLS = ['/bin/bash', '/bin/dash'].filter((shell) => existsSync(shell));

let release: ReleaseFolderStage;
let controlPlane: BootedControlPlane;
let tools: ShellTools;
const logLines: string[] = [];
const secrets: string[] = [];

/** Says what it was started with, what it was given, and what stands on the command lines of the machine meanwhile. */
const agentOf = (exitCode = 0): string => `#!/bin/sh
for argument in "$@"; do echo "argument: $argument"; done
echo "token: $(cat)"
for file in "$7"/*; do echo "file: \${file##*/}"; done
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >"$HOME/command-lines"
exit ${exitCode}
`;

beforeAll(async () => {
  release = new ReleaseFolderStage();
  controlPlane = await BootedControlPlane.boot({
    fabric: fabricYaml({ hosts: { armitage: {} } }),
    config: { releaseDirectory: release.directory },
    logLines,
  });
});
afterAll(async () => {
  await controlPlane?.close();
  release?.remove();
});
beforeEach(async () => {
  tools = new ShellTools();
  await release.put(agentOf());
});
afterEach(() => tools.remove());

async function newToken(
  body: object = {},
): Promise<NewToken & { readonly linux: string; readonly pin: string }> {
  const made = await controlPlane.api<NewToken>('/join-tokens', { method: 'POST', body });
  secrets.push(parseJoinToken(made.token)?.secret ?? '');
  const linux = made.install?.linux ?? '';
  return { ...made, linux, pin: PIN.exec(linux)?.[1] ?? '' };
}

/** Pastes a line into a shell. */
const paste = (line: string, shell = '/bin/sh', environment = {}): Promise<ShellResult> =>
  tools.run(shell, [], `${line}\n`, environment);

/** The script by itself, as it lies in the release. */
const runScript = (server: string, pin: string, environment = {}): Promise<ShellResult> =>
  tools.run(
    '/bin/sh',
    [release.path('agent.sh'), '--server', server, '--pin', pin],
    'a token\n',
    environment,
  );

function expectNothingRan({ exitCode, stdout }: ShellResult): void {
  expect(exitCode).not.toBe(0);
  expect(stdout).not.toContain('argument:');
  expect(readdirSync(tools.path('tmp'))).toEqual([]);
}

describeReal('the printed line for Linux', [curl], () => {
  it.each(SHELLS)('fetches, checks and runs what lies at the control plane, in %s', async (shell) => {
    const { linux, token } = await newToken();
    const { exitCode, stdout, stderr } = await paste(linux, shell);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `Fetching ai-fabric-agent-linux-x64.gz from ${controlPlane.tlsUrl}\n`,
    });
    const said = stdout.trimEnd().split('\n');
    expect(said.slice(0, 6)).toEqual([
      'argument: install',
      ...['argument: --server', `argument: ${controlPlane.tlsUrl}`],
      ...['argument: --token-file', 'argument: -', 'argument: --release'],
    ]);
    expect(said.slice(7)).toEqual([`token: ${token}`, 'file: ai-fabric-agent', 'file: manifest.json']);
    // The token came by standard input, and stood on no command line while the agent ran.
    const commandLines = readFileSync(tools.path('command-lines'), 'utf8');
    expect(commandLines).toContain('--token-file -');
    expect(commandLines).not.toContain(parseJoinToken(token)?.secret);
    expect(readdirSync(tools.path('tmp'))).toEqual([]);
  });

  it('names the host that its token is bound to', async () => {
    const { stdout } = await paste((await newToken({ hostName: 'armitage' })).linux);
    expect(stdout).toContain('argument: --name\nargument: armitage\n');
  });

  it('goes through sudo where there is one, which is shown no token', async () => {
    tools.put('sudo', 'echo "sudo: $*"; exec "$@"');
    const { linux, token } = await newToken();
    const { exitCode, stdout } = await paste(linux);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^sudo: sh \S+\/agent\.sh --server /);
    expect(stdout.split(token)).toHaveLength(2);
  });

  it('ends as the install ends', async () => {
    await release.put(agentOf(7));
    expect((await paste((await newToken()).linux)).exitCode).toBe(7);
  });

  it('passes a proxy of the environment by', async () => {
    const proxy = 'http://127.0.0.1:1';
    const proxies = { https_proxy: proxy, HTTPS_PROXY: proxy, all_proxy: proxy };
    expect((await paste((await newToken()).linux, '/bin/sh', proxies)).exitCode).toBe(0);
  });

  it('runs no script but the one that it was printed for', async () => {
    const { linux } = await newToken();
    await release.put(agentOf(), '0.3.0');
    const result = await paste(linux);
    expectNothingRan(result);
    expect(result.stdout).toContain('/agent.sh: FAILED');
  });

  it('takes nothing from who has another key', async () => {
    const { linux, pin } = await newToken();
    const result = await paste(linux.replaceAll(pin, OTHER_PIN));
    expectNothingRan(result);
    expect(result.stderr).toContain('public key does not match');
  });

  it('runs nothing where curl is missing', async () => {
    tools.without('curl');
    expectNothingRan(await paste((await newToken()).linux));
  });

  it('is what the command line prints, alone', async () => {
    const { dataDirectory } = controlPlane;
    const flags = ['--data', dataDirectory] as const;
    const line = await runCli(['token', 'create', '--line', 'linux', ...flags]);
    expect({ ...line, stdout: line.stdout.split('\n').length }).toEqual({
      exitCode: 0,
      stdout: 2,
      stderr: '',
    });
    const { stdout } = await paste(line.stdout);
    const token = /^token: (.*)$/m.exec(stdout)?.[1] ?? '';
    expect(parseJoinToken(token)?.certificateSha256).toBe(controlPlane.certificateSha256);
    secrets.push(parseJoinToken(token)?.secret ?? '');
    const windows = await runCli(['token', 'create', '--line', 'windows', ...flags]);
    expect([windows.exitCode, windows.stdout]).toEqual([1, '']);
    expect(windows.stderr).toContain('nothing can be installed on windows');
  });

  it('leaves no token in the log of the control plane', () => {
    expect(secrets.length).toBeGreaterThan(5);
    expect(
      secrets.filter((secret) => secret === '' || logLines.some((line) => line.includes(secret))),
    ).toEqual([]);
  });
});

describeReal('agent.sh', [curl], () => {
  let liar: Server | null = null;
  afterEach(() => {
    liar?.closeAllConnections();
    liar?.close();
    liar = null;
  });

  /** Whoever has the right key and gives other files than were announced. */
  async function startLiar(
    change: (name: string, content: Buffer) => Buffer,
  ): Promise<{ readonly server: string; readonly pin: string }> {
    const names = [{ kind: 'ip', value: '127.0.0.1' }] as const;
    const { certificatePem: cert, privateKeyPem: key } = await makeSelfSigned({ names, nowMs: Date.now() });
    liar = createServer({ cert, key }, (request, response) => {
      const name = (request.url ?? '').slice('/install/'.length);
      if (existsSync(release.path(name))) response.end(change(name, readFileSync(release.path(name))));
      else response.writeHead(404).end();
    });
    liar.listen(0, '127.0.0.1');
    await once(liar, 'listening');
    const spki = new X509Certificate(cert).publicKey.export({ format: 'der', type: 'spki' });
    return {
      server: `https://127.0.0.1:${(liar.address() as AddressInfo).port}`,
      pin: createHash('sha256').update(spki).digest('base64'),
    };
  }

  it.each([
    ['a bit flipped', (content: Buffer) => Buffer.concat([content.subarray(0, -1), Buffer.from([1])])],
    ['cut off', (content: Buffer) => content.subarray(0, -10)],
    ['another one', () => Buffer.from('#!/bin/sh\necho argument: evil\n')],
  ])('runs no agent that is not what was announced: %s', async (_what, change) => {
    const { server, pin } = await startLiar((name, content) =>
      name.endsWith('.gz') ? change(content) : content,
    );
    const result = await runScript(server, pin);
    expectNothingRan(result);
    expect(result.stderr).toContain('is not what was announced: nothing was run');
  });

  it('goes on where the connection was cut, and begins nothing anew', async () => {
    const program = Buffer.concat([Buffer.from(agentOf()), randomBytes(2_000_000)]);
    await release.put(program);
    const proxy = await CutOffProxy.start(controlPlane.tlsUrl);
    try {
      proxy.cutOneAfter(1_000_000);
      const { pin } = await newToken();
      const { exitCode, stdout } = await runScript(proxy.url, pin);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('token: a token');
      // Less than half of it came twice: what was in the air when it was cut.
      expect(proxy.connections).toBe(4);
      expect(proxy.passedBytes).toBeLessThan(program.length * 1.5);
    } finally {
      await proxy.close();
    }
  });

  it('hands a signature on where there is one', async () => {
    const { server, pin } = await startLiar((_name, content) => content);
    expect((await runScript(server, pin)).stdout).not.toContain('manifest.sig');
    release.putSignature('a signature');
    expect((await runScript(server, pin)).stdout).toContain('file: manifest.sig');
    release.removeSignature();
  });

  it('takes nothing from who has another key', async () => {
    const result = await runScript(controlPlane.tlsUrl, OTHER_PIN);
    expectNothingRan(result);
    expect(result.stderr).toContain('the manifest could not be fetched');
  });

  it('takes nothing in clear', async () => {
    expectNothingRan(await runScript(controlPlane.url, OTHER_PIN));
  });

  it('says what is missing where curl is', async () => {
    tools.without('curl');
    const result = await runScript(controlPlane.tlsUrl, OTHER_PIN);
    expectNothingRan(result);
    expect(result.stderr).toContain('curl is needed');
  });

  it.each([
    ['Linux', 'aarch64'],
    ['Darwin', 'x86_64'],
  ])('has no agent for %s on %s', async (system, machine) => {
    tools.put('uname', `[ "$1" = -s ] && echo ${system} || echo ${machine}`);
    const result = await runScript(controlPlane.tlsUrl, OTHER_PIN);
    expectNothingRan(result);
    expect(result.stderr).toContain(`no agent for ${system} ${machine}`);
  });

  it.each([[[]], [['--server']], [['--pin', 'x', '--server', 'y']], [['--server', 'x', '--pin']]])(
    'says how it is used, given %j',
    async (args: string[]) => {
      const result = await tools.run('/bin/sh', [release.path('agent.sh'), ...args], '');
      expectNothingRan(result);
      expect(result.stderr).toContain('usage: ');
    },
  );
});

describeReal('agent.sh on a full disk', [curl, mountNamespaces], () => {
  const SIZE = '256k';
  /** In a mount of its own, which goes with the process. */
  async function runThere(): Promise<ShellResult> {
    const { pin } = await newToken();
    const script = `mount -t tmpfs -o size=${SIZE} none "$TMPDIR" && PATH="$TOOLS" "$TOOLS/sh" "$@"; code=$?; ls -A "$TMPDIR" >&2; exit $code`;
    const args = [release.path('agent.sh'), '--server', controlPlane.tlsUrl, '--pin', pin];
    return tools.run('/usr/bin/unshare', ['--mount', '/bin/sh', '-c', script, 'sh', ...args], 'a token\n', {
      ...{ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TOOLS: tools.path('bin') },
    });
  }

  it('says so where there is no room for what it fetches, and leaves nothing', async () => {
    // Nothing makes it smaller.
    await release.put(randomBytes(600_000));
    const result = await runThere();
    expectNothingRan(result);
    expect(result.stderr).toMatch(/could not be fetched to \S+\n$/);
  });

  it('says so where there is no room to unpack it, and leaves nothing', async () => {
    await release.put(Buffer.alloc(1_000_000));
    const result = await runThere();
    expectNothingRan(result);
    expect(result.stderr).toMatch(/could not be unpacked in \S+\n$/);
  });
});

describeReal('the printed line of a release that has the agent packed with xz too', [curl, xz], () => {
  beforeEach(() => release.put(agentOf(), '0.2.0', true));

  it('takes the smaller one where the machine has xz', async () => {
    tools.add('xz');
    const { exitCode, stdout, stderr } = await paste((await newToken()).linux);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `Fetching ai-fabric-agent-linux-x64.xz from ${controlPlane.tlsUrl}\n`,
    });
    expect(stdout).toContain('argument: install\n');
    expect(stdout).toMatch(/file: ai-fabric-agent\nfile: manifest\.json\n$/);
  });

  it('takes the other where it has none', async () => {
    const { exitCode, stdout, stderr } = await paste((await newToken()).linux);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('Fetching ai-fabric-agent-linux-x64.gz ');
    expect(stdout).toContain('argument: install\n');
  });

  it('runs nothing where what it fetched is not what was announced', async () => {
    tools.add('xz');
    const { linux } = await newToken();
    writeFileSync(release.path('ai-fabric-agent-linux-x64.xz'), 'something else');
    expectNothingRan(await paste(linux));
  });
});
