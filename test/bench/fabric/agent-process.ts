import { join } from 'node:path';
import type { BenchContext } from '../bench.js';
import { BenchProcess } from '../machine/bench-process.js';
import type { ControlPlaneProcess } from './control-plane-process.js';
import { nodeFlagsOf, programs } from './programs.js';

export interface AgentOptions {
  readonly context: BenchContext;
  readonly controlPlane: ControlPlaneProcess;
  readonly hostName: string;
  readonly role: 'measured' | 'load';
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * The real `ai-fabric-agent`: joined with a token, then running.
 *
 * @throws Error with the end of its log when it cannot join
 */
export async function startAgentProcess(options: AgentOptions): Promise<BenchProcess> {
  const { context, controlPlane, hostName, role } = options;
  const profile = role === 'measured' ? context.profileDirectory : null;
  const token = await controlPlane.createJoinToken();
  const common = {
    name: `the agent of ${hostName}`,
    machine: context.machine,
    role,
    file: process.execPath,
    logFile: join(context.directory, `agent-${hostName}.log`),
    environment: {
      AI_FABRIC_AGENT_NAME: hostName,
      AI_FABRIC_AGENT_STATE: join(context.directory, `agent-${hostName}`),
      ...options.environment,
    },
  };
  const server = `https://127.0.0.1:${controlPlane.tlsPort}`;
  const joining = new BenchProcess({
    ...common,
    args: [programs.agent, 'join', '--server', server, '--token-file', '-'],
    input: `${token}\n`,
  });
  if ((await joining.exited()) !== 0) throw new Error(`${hostName} could not join:\n${joining.lastLines()}`);
  const profiling = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const agent = new BenchProcess({
    ...common,
    args: [...nodeFlagsOf(programs.agent), ...profiling, programs.agent, 'run'],
  });
  context.atEnd(() => agent.stop());
  return agent;
}
