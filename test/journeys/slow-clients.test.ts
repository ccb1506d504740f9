import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlPlaneProcess } from '../harness/control-plane-process.js';
import { describeThorough } from '../harness/real-part.js';
import { ProgramProcess } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';

const WANTED = 10_000;
const CAP = 4_096;
/** What the programs need beside their clients. */
const OTHER_FILES = 1_000;
const SLOW_CLIENTS = fileURLToPath(new URL('../harness/slow-clients.mjs', import.meta.url));

/** Node raises its own limit of open files to what it may have. */
const maxFiles =
  process.platform === 'linux'
    ? Number(execFileSync('sh', ['-c', 'ulimit -Hn']).toString()) || WANTED * 2
    : 0;
const clients = Math.min(WANTED, maxFiles - OTHER_FILES);
const cap = Math.min(CAP, Math.floor(clients / 2));

const controlPlane = new ControlPlaneProcess();
/** Of the program, in bytes. */
function residentBytes(): number {
  const status = readFileSync(`/proc/${controlPlane.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

function ask(agent: Agent | false): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(`${controlPlane.url}/v1/models`, { agent, timeout: 10_000 }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end();
  });
}

describeThorough('ten thousand slow clients', { skip: maxFiles === 0 }, () => {
  beforeAll(() => controlPlane.start({ environment: { AI_FABRIC_MAX_CONNECTIONS: String(cap) } }));
  afterAll(() => controlPlane.close());

  test('leave those served who use their connections, and take no more memory than their places', async () => {
    if (clients < WANTED)
      console.log(`${clients} slow clients, not ${WANTED}: ${maxFiles} open files are allowed`);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const healthy: (number | string)[] = [];
    const askAll = async (): Promise<void> => {
      healthy.push(...(await Promise.all(Array.from({ length: 8 }, () => ask(agent)))));
    };
    await askAll();
    const before = residentBytes();
    let most = 0;
    const growth: number[] = [];
    const tookMs: number[] = [];
    for (let wave = 0; wave < 2; wave++) {
      most = 0;
      const slow = new ProgramProcess(SLOW_CLIENTS, [new URL(controlPlane.url).port, String(clients)]);
      const told = () => JSON.parse(slow.stdout.trimEnd().split('\n').at(-1) || '{"open":0,"ended":0}');
      await eventually(
        'all have come, and all places are taken',
        async () => {
          await askAll();
          most = Math.max(most, residentBytes());
          return told().ended >= clients - cap - 64;
        },
        90_000,
      );
      const fullMs = performance.now();
      await eventually('who comes anew is served', async () => (await ask(false)) === 200, 60_000);
      tookMs.push(Math.round(performance.now() - fullMs));
      await slow.kill('SIGKILL');
      growth.push(Math.round((most - before) / 1024 ** 2));
    }
    console.log(
      `${clients} slow clients against ${cap} places: ${growth.join(' and ')} MB more, a new client was served after ${tookMs.join(' and ')} ms`,
    );
    const metrics = await (await fetch(`${controlPlane.url}/metrics`)).text();
    const refused = Number(
      /^ai_fabric_refused_connections_total\{listener="http"\} (\d+)$/m.exec(metrics)?.[1],
    );
    // Most came in, and made room for those behind them: how many did not is the machine's speed.
    console.log(`${refused} connections were refused`);
    expect(refused).not.toBeNaN();
    const served = healthy.filter((answer) => answer === 200).length;
    console.log(`of ${healthy.length} requests on connections in use ${served} were served`);
    // A machine that stops this process for a second makes its connections look unused.
    expect(served / healthy.length).toBeGreaterThan(0.9);
    expect(growth[0]).toBeLessThan(160);
    expect(growth[1]).toBeLessThan((growth[0] ?? 0) + 48);
    agent.destroy();
  }, 240_000);
});
