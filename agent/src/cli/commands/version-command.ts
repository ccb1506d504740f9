import { BUILD, describeBuild, PROTOCOL_VERSION } from '@ai-fabric/shared';
import { Command } from 'commander';
import { AGENT_VERSION } from '../../version.js';
import { printJson } from '../output.js';

export function versionCommand(): Command {
  return new Command('version')
    .description('Print the versions of the agent, of its protocol and of what it runs on')
    .option('--json', 'print them as JSON')
    .action(({ json }: { readonly json?: boolean }) => {
      const { commit, packaged, releaseKey } = BUILD;
      const node = process.version;
      if (json) {
        printJson({
          ...{ version: AGENT_VERSION, commit, protocolVersion: PROTOCOL_VERSION },
          ...{ packaged, signed: releaseKey !== null, node },
        });
      } else console.log(`${describeBuild('ai-fabric-agent', AGENT_VERSION)}\nNode ${node}`);
    });
}
