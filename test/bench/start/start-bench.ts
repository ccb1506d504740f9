import { join } from 'node:path';
import type { Bench, BenchContext, Measured } from '../bench.js';
import { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { benchProgram } from '../fabric/programs.js';
import { BenchProcess } from '../machine/bench-process.js';
import { pause } from '../machine/pause.js';
import { Rounds } from '../rounds.js';
import type { AgentsQuestion } from './agents-program.js';

const AGENTS = 50;
const RELINK_DEADLINE_MS = 60_000;
/** So that links count as having held, and no kill meets agents that still back off from the one before. */
const STEADY_MS = 5_000;

export const startBench: Bench = {
  name: 'start',
  measures: `how soon a control plane answers on an existing database, and how soon ${AGENTS} agents are back after kill -9`,
  figures: [
    {
      name: 'ready_ms',
      meaning: 'from the start of the process to its first 200 on /readyz',
      limit: { atMost: 1_000 },
      from: 'median',
    },
    {
      name: 'relinked_ms',
      meaning: `from kill -9, with a restart at once, until ${AGENTS} agents are online`,
      limit: { atMost: 6_000 },
      from: 'median',
    },
  ],
  run: runStartBench,
};

async function runStartBench(context: BenchContext): Promise<Measured> {
  const { machine, directory, progress } = context;
  const hosts = Array.from({ length: AGENTS }, (_, index) => `bench-${String(index).padStart(2, '0')}`);
  const fabricYaml = JSON.stringify({
    version: 1,
    hosts: Object.fromEntries(hosts.map((host) => [host, {}])),
  });
  const controlPlane = await ControlPlaneProcess.prepare({ context, role: 'measured', fabricYaml });
  progress('making the database');
  await controlPlane.start();
  const fleet = new BenchProcess({
    name: 'the agents',
    machine,
    role: 'load',
    file: process.execPath,
    args: [benchProgram('start/agents-program')],
    logFile: join(directory, 'agents.log'),
    messages: true,
  });
  context.atEnd(() => fleet.stop());
  progress(`joining ${AGENTS} agents`);
  const agents: AgentsQuestion['agents'][number][] = [];
  for (const hostName of hosts) {
    const joinToken = await controlPlane.createJoinToken();
    agents.push({ hostName, joinToken, stateDirectory: join(directory, `agent-${hostName}`) });
  }
  const question: AgentsQuestion = { server: `https://127.0.0.1:${controlPlane.tlsPort}`, agents };
  await fleet.ask(question, 120_000);
  await controlPlane.untilOnline(AGENTS, RELINK_DEADLINE_MS);
  return measureStarts(context, controlPlane);
}

async function measureStarts(context: BenchContext, controlPlane: ControlPlaneProcess): Promise<Measured> {
  const rounds = new Rounds();
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}: kill -9`);
    await pause(STEADY_MS);
    const killedAtMs = performance.now();
    await controlPlane.process.kill();
    rounds.add('ready_after_kill_ms', await controlPlane.start());
    await controlPlane.untilOnline(AGENTS, RELINK_DEADLINE_MS);
    rounds.add('relinked_ms', performance.now() - killedAtMs);
    context.progress(`round ${round} of ${context.rounds}: stop and start`);
    await controlPlane.stop();
    rounds.add('ready_ms', await controlPlane.start());
    await controlPlane.untilOnline(AGENTS, RELINK_DEADLINE_MS);
  }
  return { rounds: rounds.all, leftOut: [], notes: [] };
}
