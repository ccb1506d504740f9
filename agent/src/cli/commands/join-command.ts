import { Command } from 'commander';
import { readAgentConfig } from '../../config/read-agent-config.js';
import { exitCodesOf, UsageError } from '../exit-codes.js';
import { printJson } from '../output.js';
import { readToken } from '../read-token.js';
import { runLine } from '../run-line.js';

interface JoinOptions {
  readonly server?: string;
  readonly tokenFile: string;
  readonly name?: string;
  readonly state?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function joinCommand(): Command {
  return new Command('join')
    .description('Make this host one of a fabric, with a token that its control plane made')
    .option('--server <URL>', 'the control plane’s TLS address, such as https://motoko:8443')
    .option('--token-file <FILE>', 'where the join token stands; "-" is standard input', '-')
    .option('--name <NAME>', 'what this host is to be called; by default its own name')
    .option('--state <DIR>', 'where the key and what was joined are kept')
    .option('--force', 'join although this host has joined before; its key stays')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      `
The token is never an argument: others on this machine can read those. It pins the control plane's
certificate, and nothing is sent to a server with another one.

Examples:
  ai-fabric-agent join --server https://motoko:8443 --token-file join.token
  ssh motoko ai-fabric token create | ai-fabric-agent join --server https://motoko:8443 --token-file -
${exitCodesOf('ok', 'failed', 'usage', 'refused', 'unreachable')}`,
    )
    .action(join);
}

async function join(options: JoinOptions): Promise<void> {
  const { state, name, server } = options;
  const config = readAgentConfig({ state, name, server });
  // Ahead of the token, which may have to be typed.
  const { joinFabric, refuseService } = await import('../../join.js');
  refuseService(config);
  if (config.serverUrl === null)
    throw new UsageError('Which control plane? Name it: --server https://motoko:8443');
  const token = await readToken(options.tokenFile);
  // The rest is loaded now, so that help and versions come at once.
  const [{ systemClock }, { default: pino }] = await Promise.all([
    import('@ai-fabric/shared'),
    import('pino'),
  ]);
  const joined = await joinFabric(
    config,
    { server: config.serverUrl, token, force: options.force ?? false },
    { clock: systemClock(), random: Math.random, log: pino({ level: 'silent' }) },
  );
  const { serverUrl, hostName, hostId } = joined;
  if (options.json) {
    printJson({ server: serverUrl, hostName, hostId, stateDirectory: config.stateDirectory });
    return;
  }
  console.log(`This host has joined ${serverUrl} as ${hostName}.`);
  console.log(`Its key and what it joined are in ${config.stateDirectory}.`);
  console.log(`Next: start its agent with "${runLine(state)}".`);
}
