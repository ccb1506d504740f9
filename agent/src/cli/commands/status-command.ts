import { Command } from 'commander';
import { readAgentConfig } from '../../config/read-agent-config.js';
import { describeEnding } from '../../doctor/decide/describe-ending.js';
import { fixOfLink } from '../../doctor/decide/fix-of-link.js';
import { agentStatePath, readAgentState } from '../../identity/agent-state.js';
import { privateFiles } from '../../identity/private-files.js';
import { askStatus } from '../../status/status-socket.js';
import { formatStatus } from '../decide/format-status.js';
import { startLine } from '../decide/start-line.js';
import { exitCodes, exitCodesOf } from '../exit-codes.js';
import { readServiceFacts } from '../open-system.js';
import { printJson } from '../output.js';

interface StatusOptions {
  readonly state?: string;
  readonly json?: boolean;
}

export function statusCommand(): Command {
  return new Command('status')
    .description('Say what the agent of this host is doing')
    .option('--state <DIR>', 'the directory of the agent that is asked')
    .option('--json', 'print it as JSON; "running" says whether there is an agent')
    .addHelpText(
      'after',
      `
Examples:
  ai-fabric-agent status
  ai-fabric-agent status --json | jq .link.state
${exitCodesOf(['ok', 'an agent runs, linked or not'], ['failed', 'none runs'], 'usage', 'notJoined')}`,
    )
    .action(showStatus);
}

async function showStatus(options: StatusOptions): Promise<void> {
  const config = readAgentConfig({ state: options.state });
  const { stateDirectory, platform, folders, isService } = config;
  const status = await askStatus(stateDirectory, platform);
  if (status !== null) {
    if (options.json) printJson({ running: true, ...status });
    else
      console.log(formatStatus(status, Date.now(), fixOfLink(status.link.problemCode, isService, platform)));
    return;
  }
  const files = privateFiles({ platform, windowsDirectory: folders.windows });
  const joined = await readAgentState(config, files);
  process.exitCode = joined === null ? exitCodes.notJoined : exitCodes.failed;
  const ending = isService ? ((await readServiceFacts(config))?.ending ?? null) : null;
  const problem = ending === null ? null : describeEnding(ending, platform);
  if (options.json) {
    const { serverUrl = null, hostName = null } = joined ?? {};
    printJson({
      ...{ running: false, joined: joined !== null, server: serverUrl, hostName },
      problem: problem?.says ?? null,
    });
  } else if (joined === null) {
    console.log(
      `No agent runs here, and this host has not joined (${agentStatePath(stateDirectory)} is not there).`,
    );
  } else {
    console.log(`No agent runs here. This host has joined ${joined.serverUrl} as ${joined.hostName}.`);
    if (problem === null)
      console.log(`Start it: ${startLine({ platform, isService, state: options.state })}`);
    else console.log(`${problem.says}\n${problem.fix}`);
  }
}
