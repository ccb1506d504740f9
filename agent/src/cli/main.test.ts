import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatJoinToken, systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readAgentConfig } from '../config/read-agent-config.js';
import { joinFabric } from '../join.js';
import {
  FakeControlPlane,
  makeCertificate,
  type TestCertificate,
} from '../link/testing/fake-control-plane.js';

const PROGRAM = fileURLToPath(new URL('../../bin/ai-fabric-agent.js', import.meta.url));

// Each test starts a few processes, on a machine that may be busy with others.
vi.setConfig({ testTimeout: 90_000 });

/** Two seconds by its own clock; the rest is for a machine that lets it wait for a processor. */
const STOPPED_WITHIN_MS = 8_000;

let certificate: TestCertificate;
let directory: string;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  certificate = await makeCertificate();
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-cli-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Program {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

function start(args: readonly string[], input?: string): Program {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: {
      AI_FABRIC_AGENT_STATE: join(directory, 'state'),
      AI_FABRIC_AGENT_NAME: 'armitage',
      AI_FABRIC_AGENT_NVIDIA_SMI: join(directory, 'none', 'nvidia-smi'),
    },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (piece: Buffer) => {
      output += piece.toString('utf8');
    });
  }
  if (input !== undefined) child.stdin?.write(input);
  const exited = once(child, 'close').then(([code]) => code as number | null);
  closing.push(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await exited;
  });
  return { child, output: () => output, exited };
}

async function run(
  args: readonly string[],
  input?: string,
): Promise<{ code: number | null; output: string }> {
  const program = start(args, input);
  const code = await program.exited;
  return { code, output: program.output() };
}

async function startPlane(options: Partial<FakeControlPlane['options']> = {}): Promise<FakeControlPlane> {
  const plane = await FakeControlPlane.start({ certificate, ...options });
  closing.push(() => plane.close());
  return plane;
}

const token = (sha256 = certificate.sha256): string =>
  formatJoinToken({
    id: 'abcdefgh',
    secret: randomBytes(32).toString('base64url'),
    certificateSha256: sha256,
  });

const joinArgs = (plane: FakeControlPlane, file = '-') => [
  'join',
  '--server',
  plane.url,
  '--token-file',
  file,
];
/** Where the command itself is not what a test is about: without a process of its own. */
const joinHere = (plane: FakeControlPlane) =>
  joinFabric(
    readAgentConfig({ state: join(directory, 'state'), name: 'armitage' }, {}),
    { server: plane.url, token: token(), force: false },
    { clock: systemClock(), random: Math.random, log: pino({ level: 'silent' }) },
  );
const until = (condition: () => unknown): Promise<unknown> =>
  expect.poll(condition, { timeout: 30_000, interval: 10 }).toBeTruthy();

describe('ai-fabric-agent join', () => {
  test('takes the token from a pipe that stays open, and says what comes next', async () => {
    const plane = await startPlane();
    const secret = token();
    const { code, output } = await run(joinArgs(plane), `${secret}\n`);
    expect(output).toContain(`has joined ${plane.url} as armitage`);
    expect(output).toContain('ai-fabric-agent run');
    expect(code).toBe(0);
    const kept = await readFile(join(directory, 'state', 'agent.json'), 'utf8');
    expect(kept + output).not.toContain(secret.split('.')[1]);
  });

  test('takes it from a file, and speaks JSON', async () => {
    const plane = await startPlane();
    const file = join(directory, 'join.token');
    await writeFile(file, `${token()}\r\n`);
    const { code, output } = await run([...joinArgs(plane, file), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ server: plane.url, hostName: 'armitage', hostId: 'host-1' });
  });

  test('exits with 5 and sends nothing when the certificate is another', async () => {
    const plane = await startPlane();
    const { code, output } = await run(joinArgs(plane), `${token('ab'.repeat(32))}\n`);
    expect(code).toBe(5);
    expect(output).toContain('another certificate');
    expect(plane.applicationBytes).toBe(0);
  });

  test('exits with 4 when the control plane refuses', async () => {
    const plane = await startPlane({ onOpen: (link) => link.goodbye('token_used', 'This token was used.') });
    const { code, output } = await run([...joinArgs(plane), '--json'], `${token()}\n`);
    expect(code).toBe(4);
    expect(JSON.parse(output)).toEqual({ error: { code: 'token_used', message: 'This token was used.' } });
  });

  test('exits with 2 for a token on the command line, and does not repeat it', async () => {
    const plane = await startPlane();
    const secret = token();
    const { code, output } = await run(joinArgs(plane, secret));
    expect(code).toBe(2);
    expect(output).toContain('can be read by others');
    expect(output).not.toContain(secret);
  });

  test.each([
    ['no server', ['join'], 'Which control plane?'],
    ['an unknown flag', ['join', '--token', 'x'], 'unknown option'],
    ['a plain address', ['join', '--server', 'http://motoko:8000'], 'TLS only'],
    [
      'a file that is not there',
      ['join', '--server', 'motoko', '--token-file', '/no/such/file'],
      'cannot be read',
    ],
  ])('exits with 2 for %s', async (_what, args, words) => {
    const { code, output } = await run(args);
    expect(output).toContain(words);
    expect(code).toBe(2);
  });
});

describe('ai-fabric-agent run', () => {
  test('exits with 3 before a join, and says how to', async () => {
    const { code, output } = await run(['run']);
    expect(code).toBe(3);
    expect(output).toContain('ai-fabric-agent join --server');
  });

  test('links, answers status, is the only one, and says goodbye within two seconds of its signal', async () => {
    const plane = await startPlane();
    expect((await run(joinArgs(plane), `${token()}\n`)).code).toBe(0);
    const agent = start(['run']);
    await until(() => plane.link.bodies('report').some(({ inventory }) => inventory));

    const status = await run(['status', '--json']);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.output)).toMatchObject({
      running: true,
      pid: agent.child.pid,
      hostName: 'armitage',
      server: plane.url,
      link: { state: 'linked' },
    });
    const words = await run(['status']);
    expect(words.output).toMatch(/armitage: the agent runs.*link: +up for \d+ s/s);

    const second = await run(['run']);
    expect(second.code).toBe(1);
    expect(second.output).toContain(`process ${agent.child.pid}`);

    const stoppedMs = performance.now();
    agent.child.kill('SIGTERM');
    expect(await agent.exited).toBe(0);
    expect(performance.now() - stoppedMs).toBeLessThan(STOPPED_WITHIN_MS);
    expect(plane.link.bodies('goodbye')).toMatchObject([{ reason: 'service_stop' }]);
    const lines = agent.output().trim().split('\n');
    expect(lines.every((line) => typeof JSON.parse(line) === 'object')).toBe(true);
  });

  test('prints its state as JSON once it is linked, apart from the log', async () => {
    const plane = await startPlane();
    await joinHere(plane);
    const agent = start(['run', '--json']);
    let printed = '';
    agent.child.stdout?.on('data', (piece: Buffer) => {
      printed += piece.toString('utf8');
    });
    await until(() => printed.endsWith('}\n'));
    expect(JSON.parse(printed)).toMatchObject({
      ...{ running: true, pid: agent.child.pid, server: plane.url, hostName: 'armitage', hostId: 'host-1' },
      link: { state: 'linked', problem: null },
    });
    agent.child.kill('SIGTERM');
    expect(await agent.exited).toBe(0);
    expect(agent.output()).toContain('agent: started');
  });

  test('stops in time even while the control plane stands still', async () => {
    const plane = await startPlane();
    await joinHere(plane);
    const agent = start(['run']);
    await until(() => plane.links.length === 2 && plane.link.bodies('report').length);
    plane.link.freeze();
    const stoppedMs = performance.now();
    agent.child.kill('SIGINT');
    expect(await agent.exited).toBe(0);
    expect(performance.now() - stoppedMs).toBeLessThan(STOPPED_WITHIN_MS);
  });

  test('is found by the next one after it was killed: its socket is no hindrance', async () => {
    const plane = await startPlane();
    await joinHere(plane);
    const first = start(['run']);
    await until(() => plane.links.length === 2);
    first.child.kill('SIGKILL');
    await first.exited;
    start(['run']);
    await until(() => plane.links.length === 3 && plane.link.bodies('report').length);
  });
});

describe('ai-fabric-agent status', () => {
  test('says that no agent runs: 3 before a join, 1 after', async () => {
    expect(await run(['status'])).toMatchObject({
      code: 3,
      output: expect.stringContaining('has not joined'),
    });
    const plane = await startPlane();
    await joinHere(plane);
    expect(await run(['status'])).toMatchObject({
      code: 1,
      output: expect.stringContaining('No agent runs here'),
    });
    const { output } = await run(['status', '--json']);
    expect(JSON.parse(output)).toEqual({
      running: false,
      joined: true,
      server: plane.url,
      hostName: 'armitage',
      problem: null,
    });
  });

  test.runIf(process.platform !== 'win32')('names a file that others can read, with the fix', async () => {
    const plane = await startPlane();
    await joinHere(plane);
    await chmod(join(directory, 'state', 'agent.json'), 0o644);
    const { code, output } = await run(['status']);
    expect(code).toBe(1);
    expect(output).toMatch(/agent\.json.*chmod 600/);
  });
});

test.each(['run', 'join', 'status'])('%s --help tells its exit codes', async (command) => {
  const { code, output } = await run([command, '--help']);
  expect(code).toBe(0);
  expect(output).toContain('Exit codes:\n  0  ');
});

test('ends without a word when whoever reads its output has had enough', async () => {
  const { child, output, exited } = start(['--help']);
  child.stdout?.destroy();
  expect(await exited).toBe(141);
  expect(output()).toBe('');
});

test('--help tells the exit codes and gives examples', async () => {
  const { code, output } = await run(['--help']);
  expect(code).toBe(0);
  for (const words of ['Exit codes:', '5  the control plane cannot be reached', 'Examples:', 'status']) {
    expect(output).toContain(words);
  }
});
