import { BUILD, describeBuild, PROTOCOL_VERSION } from '@ai-fabric/shared';
import { Command } from 'commander';
import { VERSION } from '../../version.js';
import { printJson } from '../output.js';

export function versionCommand(): Command {
  return new Command('version')
    .description('the versions of this program, of its protocol and of what it runs on')
    .option('--json', 'print them as JSON')
    .action(({ json }: { readonly json?: boolean }) => {
      const { commit, packaged, releaseKey } = BUILD;
      const node = process.version;
      if (json) {
        printJson({
          ...{ version: VERSION, commit, protocolVersion: PROTOCOL_VERSION },
          ...{ packaged, signed: releaseKey !== null, node },
        });
      } else console.log(`${describeBuild('ai-fabric', VERSION)}\nNode ${node}`);
    });
}
