import { type Agent, joinFabric, readAgentConfig, startAgent } from '@ai-fabric/agent';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { answerParent } from '../machine/answer-parent.js';

/* Many real agents in one process: each with a key, a state directory, sensors and a link of its own. */

export interface AgentsQuestion {
  /** As `https://127.0.0.1:8443`. */
  readonly server: string;
  readonly agents: readonly {
    readonly hostName: string;
    readonly joinToken: string;
    readonly stateDirectory: string;
  }[];
}

const running: Agent[] = [];
const log = pino({ level: 'warn', base: null });

async function joinAndStart({ server, agents }: AgentsQuestion): Promise<void> {
  for (const { hostName, joinToken, stateDirectory } of agents) {
    const dependencies = { clock: systemClock(), random: Math.random, log: log.child({ host: hostName }) };
    // This machine's card, where it has one, would be read fifty times over.
    const environment = { AI_FABRIC_AGENT_NVIDIA_SMI: `${stateDirectory}/none/nvidia-smi` };
    const config = readAgentConfig({ name: hostName, state: stateDirectory }, environment);
    await joinFabric(config, { server, token: joinToken, force: false }, dependencies);
    running.push(await startAgent(config, dependencies));
  }
}

answerParent<AgentsQuestion>(async (question) => {
  await joinAndStart(question);
  return { agents: running.length };
});
