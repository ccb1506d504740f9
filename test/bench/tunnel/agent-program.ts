import { joinFabric, readAgentConfig, startAgent } from '@ai-fabric/agent';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { servedKeeper } from '../../harness/served-keeper.js';
import { answerParent } from '../machine/answer-parent.js';

/* The real agent, but for who keeps its replica. Arguments: server, join token, state directory, name, engine's port. */

const [server = '', token = '', state = '', name = '', port = ''] = process.argv.slice(2);
const config = readAgentConfig({ state, name }, {});
const around = { clock: systemClock(), random: Math.random, log: pino({ level: 'warn' }) };
await joinFabric(config, { server, token, force: false }, around);
await startAgent(config, { ...around, openKeeper: servedKeeper(() => Number(port)) });
answerParent(() => ({}));
