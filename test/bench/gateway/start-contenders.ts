import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../simulators/common/eventually.js';
import type { BenchContext, LeftOut } from '../bench.js';
import { startAgentProcess } from '../fabric/agent-process.js';
import { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { benchProgram } from '../fabric/programs.js';
import { BenchProcess } from '../machine/bench-process.js';
import { findProgram } from '../machine/find-program.js';
import { freePorts } from '../machine/free-ports.js';
import { askOnce } from './ask-once.js';
import type { Contender } from './contender.js';
import { installPortkey } from './install-portkey.js';
import { BENCH_MODEL, BENCH_ROLE, CHAT_PATH } from './sample-bodies.js';

const HOST_NAME = 'bench-host';
/** What is counted and never reached. */
const HIGH_LIMITS = {
  requestsPerMinute: 100_000_000,
  tokensPerMinute: 1_000_000_000,
  concurrentRequests: 10_000,
};
const WHOLE = { streams: true, toleratedFailures: 0.01 };

export interface Contenders {
  /** Ours is the first. */
  readonly contenders: readonly [Contender, ...Contender[]];
  /** The engine behind them, with nothing between. */
  readonly direct: Contender['target'];
  readonly leftOut: readonly LeftOut[];
}

/** All contenders that this machine has, running and each proven with one request; idle ones cost nothing. */
export async function startContenders(context: BenchContext): Promise<Contenders> {
  const enginePorts = await freePorts(2);
  const engine = new BenchProcess({
    name: 'the lean engine',
    machine: context.machine,
    role: 'load',
    file: process.execPath,
    args: [benchProgram('gateway/engine/lean-engine'), ...enginePorts.map(String)],
    logFile: join(context.directory, 'engine.log'),
    messages: true,
  });
  context.atEnd(() => engine.stop());
  await engine.ask({});
  const [enginePort = 0] = enginePorts;
  const contenders: [Contender, ...Contender[]] = [
    await startOurs(context, enginePorts),
    await startBareRelay(context, enginePort),
  ];
  const leftOut: LeftOut[] = [];
  const optional = [
    { figures: ['json_rps_vs_portkey'], start: startPortkey },
    { figures: ['haproxy_rps_vs_ours', 'sse_cpu_vs_haproxy'], start: startHaproxy },
  ];
  for (const { figures, start } of optional) {
    try {
      contenders.push(await start(context, enginePort));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      leftOut.push(...figures.map((figure) => ({ figure, reason })));
    }
  }
  return { contenders, direct: { port: enginePort, path: CHAT_PATH, headers: {} }, leftOut };
}

async function startOurs(context: BenchContext, enginePorts: readonly number[]): Promise<Contender> {
  context.progress('starting the control plane, an agent and two external deployments');
  const fabricYaml = describeFabric(enginePorts);
  const controlPlane = await ControlPlaneProcess.prepare({ context, role: 'measured', fabricYaml });
  await controlPlane.start();
  await startAgentProcess({ context, controlPlane, hostName: HOST_NAME, role: 'load' });
  await eventually(
    'both replicas are ready',
    async () => {
      type Deployments = { items: readonly { observed: { status: { phase: string } } | null }[] };
      const { items } = await controlPlane.api<Deployments>('/deployments');
      return items.every((each) => each.observed?.status.phase === 'ready');
    },
    30_000,
  );
  const { port, process } = controlPlane;
  const { secret } = await controlPlane.api<{ secret: string }>('/keys', {
    name: 'bench',
    limits: HIGH_LIMITS,
  });
  const target = { port, path: CHAT_PATH, headers: { authorization: `Bearer ${secret}` } };
  return proven({ ...WHOLE, name: 'ours', process, target, metrics: () => controlPlane.metrics() });
}

async function startBareRelay(context: BenchContext, enginePort: number): Promise<Contender> {
  const [port = 0] = await freePorts(1);
  const args = [benchProgram('gateway/contenders/bare-relay'), String(port), String(enginePort)];
  const process = startContender(context, 'bare_relay', globalThis.process.execPath, args);
  return proven({ ...WHOLE, name: 'bare_relay', process, target: { port, path: CHAT_PATH, headers: {} } });
}

async function startPortkey(context: BenchContext, enginePort: number): Promise<Contender> {
  const program = installPortkey(context.progress);
  const [port = 0] = await freePorts(1);
  const args = [program, `--port=${port}`, '--headless'];
  const process = startContender(context, 'portkey', globalThis.process.execPath, args);
  const headers = {
    authorization: 'Bearer not-needed',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${enginePort}/v1`,
  };
  const target = { port, path: CHAT_PATH, headers };
  // 1.15.2 answers 500 to streams on Node 20 ("TypeError: immutable"). Under 64 connections it answers some later than wrk
  // waits; its answers alone are counted.
  return proven({ name: 'portkey', process, target, streams: false, toleratedFailures: 0.05 });
}

async function startHaproxy(context: BenchContext, enginePort: number): Promise<Contender> {
  const haproxy = findProgram('haproxy');
  if (haproxy === null) throw new Error('haproxy is not on this machine (Debian: apt-get install haproxy)');
  const [port = 0] = await freePorts(1);
  const file = join(context.directory, 'haproxy.cfg');
  writeFileSync(file, describeHaproxy(port, enginePort));
  const process = startContender(context, 'haproxy', haproxy, ['-db', '-f', file]);
  return proven({ ...WHOLE, name: 'haproxy', process, target: { port, path: CHAT_PATH, headers: {} } });
}

function startContender(
  context: BenchContext,
  name: Contender['name'],
  file: string,
  args: readonly string[],
): BenchProcess {
  context.progress(`starting ${name}`);
  const logFile = join(context.directory, `${name}.log`);
  const contender = new BenchProcess({
    name,
    machine: context.machine,
    role: 'measured',
    file,
    args,
    logFile,
  });
  context.atEnd(() => contender.stop());
  return contender;
}

/** A contender that answers something else quickly would win every round. */
async function proven(contender: Contender): Promise<Contender> {
  const { name, process, target } = contender;
  let last = 'nothing';
  try {
    await eventually(
      `${name} relays the engine's answer`,
      async () => {
        last = await askOnce(target).catch((error: unknown) => String(error));
        return last === 'relayed' || !process.running;
      },
      20_000,
    );
  } catch {
    throw new Error(`${name} does not relay the engine's answer; the last it gave: ${last}`);
  }
  if (!process.running) throw new Error(`${name} ended:\n${process.lastLines()}`);
  return contender;
}

function describeFabric(enginePorts: readonly number[]): string {
  const deployments = enginePorts.map((port, index) => [
    `bench-${index + 1}`,
    {
      host: HOST_NAME,
      task: 'chat',
      engine: 'external',
      url: `http://127.0.0.1:${port}`,
      servedModel: BENCH_MODEL,
      maxConcurrent: 512,
    },
  ]);
  const targets = deployments.map(([deployment]) => ({ deployment }));
  // JSON is YAML.
  return JSON.stringify({
    version: 1,
    hosts: { [HOST_NAME]: {} },
    deployments: Object.fromEntries(deployments),
    roles: { [BENCH_ROLE]: { task: 'chat', targets } },
  });
}

function describeHaproxy(port: number, enginePort: number): string {
  return [
    'global',
    '  maxconn 4096',
    '  nbthread 1',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  http-reuse always',
    'frontend bench',
    `  bind 127.0.0.1:${port}`,
    '  default_backend engine',
    'backend engine',
    `  server engine 127.0.0.1:${enginePort}`,
    '',
  ].join('\n');
}
