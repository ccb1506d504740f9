import { join } from 'node:path';
import { eventually } from '../../simulators/common/eventually.js';
import type { Bench, BenchContext, Measured } from '../bench.js';
import { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { benchProgram } from '../fabric/programs.js';
import type { LoadTarget } from '../gateway/load/http-load.js';
import { CHAT_PATH, chatRequest } from '../gateway/sample-bodies.js';
import { BenchProcess } from '../machine/bench-process.js';
import { freePorts } from '../machine/free-ports.js';
import { pause } from '../machine/pause.js';
import { Rounds } from '../rounds.js';
import { percentile, ratioByRound } from '../statistics.js';
import type { GapsAnswer, PacedAnswer, TunnelLoadQuestion } from './tunnel-load.js';

const HOST = 'bench-host';
const WAYS = ['direct', 'tunnel'] as const;
type Way = (typeof WAYS)[number];

const PER_SECOND = 200;
const PACED_MS = 4_000;
const STREAMS = 100;
const WARM_UP_MS = 1_000;
const STREAM_MS = 4_000;

export const tunnelBench: Bench = {
  name: 'tunnel',
  measures: 'what the way through an agent adds to one that leads straight to the same engine',
  figures: [
    {
      name: 'added_p50_ms',
      meaning:
        'median latency of a chat request through the tunnel less that of a direct one, 100 requests/s each',
      limit: { atMost: 1.5 },
      from: 'median',
    },
    {
      name: 'sse_cpu_vs_direct',
      meaning:
        'CPU time of a streamed chunk in control plane and agent, through the tunnel ÷ direct; 100 streams',
      limit: { atMost: 2.5 },
      from: 'median',
    },
    {
      name: 'gap_p99_added_ms',
      meaning:
        'the longest gap of 99 in 100 between two tokens, through the tunnel less direct; 100 streams, a token each 20 ms',
      limit: { atMost: 8 },
      from: 'median',
    },
  ],
  run: runTunnelBench,
};

async function runTunnelBench(context: BenchContext): Promise<Measured> {
  const { controlPlane, agent, load } = await startAll(context);
  const rounds = new Rounds();
  const target = (way: Way, stream: boolean): LoadTarget => ({
    ...{ port: controlPlane.port, path: CHAT_PATH, headers: {} },
    body: JSON.stringify({ ...(JSON.parse(chatRequest(stream)) as object), model: way }),
  });
  const ask = <Answer>(question: TunnelLoadQuestion): Promise<Answer> => load.ask<Answer>(question);
  const paced = (durationMs: number) =>
    ask<PacedAnswer>({
      type: 'paced',
      targets: WAYS.map((way) => target(way, false)),
      perSecond: PER_SECOND,
      durationMs,
    });
  context.progress('warming up');
  await paced(WARM_UP_MS * 2);
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}`);
    const { latenciesMs, failures } = await paced(PACED_MS);
    if (failures > 0) throw new Error(`${failures} requests failed:\n${controlPlane.process.lastLines()}`);
    WAYS.forEach((way, index) => {
      rounds.add(`latency_p50_ms_${way}`, percentile(latenciesMs[index] ?? [], 0.5));
      rounds.add(`latency_p99_ms_${way}`, percentile(latenciesMs[index] ?? [], 0.99));
    });
    for (const way of round % 2 === 0 ? WAYS : [...WAYS].reverse()) {
      const opened = await ask<GapsAnswer>({ type: 'open', target: target(way, true), streams: STREAMS });
      if (opened.flowing < STREAMS) throw new Error(`${way}: ${opened.flowing} of ${STREAMS} streams flow`);
      await pause(WARM_UP_MS);
      await ask({ type: 'begin' });
      const before = cpuSeconds(controlPlane, agent);
      await pause(STREAM_MS);
      const after = cpuSeconds(controlPlane, agent);
      const { chunks, gapsMs } = await ask<GapsAnswer>({ type: 'close' });
      rounds.add(`sse_cpu_us_per_chunk_${way}`, ((after - before) / chunks) * 1e6);
      rounds.add(`gap_p99_ms_${way}`, percentile(gapsMs, 0.99));
      rounds.add(`chunks_per_second_${way}`, chunks / (STREAM_MS / 1_000));
    }
    rounds.add('agent_rss_mb', agent.readings().rssBytes / 1e6);
  }
  const added = (name: string): number[] => {
    const direct = rounds.of(`${name}_direct`) ?? [];
    return (rounds.of(`${name}_tunnel`) ?? []).map((value, index) => value - (direct[index] ?? Number.NaN));
  };
  return {
    rounds: {
      added_p50_ms: added('latency_p50_ms'),
      sse_cpu_vs_direct: ratioByRound(
        rounds.of('sse_cpu_us_per_chunk_tunnel'),
        rounds.of('sse_cpu_us_per_chunk_direct'),
      ),
      gap_p99_added_ms: added('gap_p99_ms'),
      ...rounds.all,
    },
    leftOut: [],
    notes: ['control plane and agent share the measured core; engine and load the other'],
  };
}

function cpuSeconds(controlPlane: ControlPlaneProcess, agent: BenchProcess): number {
  return controlPlane.process.readings().cpuSeconds + agent.readings().cpuSeconds;
}

async function startAll(context: BenchContext) {
  const [enginePort = 0] = await freePorts(1);
  const program = (
    name: string,
    role: 'measured' | 'load',
    path: string,
    args: readonly string[],
  ): BenchProcess => {
    const started = new BenchProcess({
      ...{ name, role, machine: context.machine, file: process.execPath, messages: true },
      args: [benchProgram(path), ...args],
      logFile: join(context.directory, `${name.replaceAll(' ', '-')}.log`),
    });
    context.atEnd(() => started.stop());
    return started;
  };
  const engine = program('the lean engine', 'load', 'gateway/engine/lean-engine', [String(enginePort)]);
  await engine.ask({});
  context.progress('starting the control plane, and an agent with its tunnel');
  const controlPlane = await ControlPlaneProcess.prepare({
    ...{ context, role: 'measured' as const },
    fabricYaml: describeFabric(enginePort),
  });
  await controlPlane.start();
  const agent = program('the agent', 'measured', 'tunnel/agent-program', [
    ...[`https://127.0.0.1:${controlPlane.tlsPort}`, await controlPlane.createJoinToken()],
    ...[join(context.directory, 'agent'), HOST, String(enginePort)],
  ]);
  await eventually('both ways lead to the engine', () => bothLead(controlPlane), 30_000);
  const load = program('the load', 'load', 'tunnel/tunnel-load', []);
  return { controlPlane, agent, load };
}

async function bothLead({ port }: ControlPlaneProcess): Promise<boolean> {
  const answers = await Promise.all(
    WAYS.map((model) =>
      fetch(`http://127.0.0.1:${port}${CHAT_PATH}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
      }),
    ),
  );
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  return answers.every(({ status }) => status === 200);
}

function describeFabric(enginePort: number): string {
  return `
version: 1
hosts:
  ${HOST}: {}
deployments:
  direct:
    { host: ${HOST}, task: chat, engine: external, url: "http://127.0.0.1:${enginePort}", servedModel: bench-model, maxConcurrent: 256 }
  tunnel:
    { host: ${HOST}, task: chat, engine: vllm, model: bench/model, maxConcurrent: 256 }
`;
}
