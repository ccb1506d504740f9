import { BUILD, describeBuild, PROTOCOL_VERSION } from '@ai-fabric/shared';
import { Command } from 'commander';
import { ownLicences } from '../../own-program.js';
import { AGENT_VERSION } from '../../version.js';
import { printJson } from '../output.js';

interface VersionOptions {
  readonly json?: boolean;
  readonly licences?: boolean;
}

export function versionCommand(): Command {
  return new Command('version')
    .description('Print the versions of the agent, of its protocol and of what it runs on')
    .option('--json', 'print them as JSON')
    .option('--licences', 'print the licences of all packages that are in this executable')
    .action(printVersion);
}

function printVersion({ json, licences }: VersionOptions): void {
  const { commit, packaged, releaseKey } = BUILD;
  const node = process.version;
  if (licences)
    console.log(ownLicences() ?? 'This is no single executable: its packages have theirs beside it.');
  else if (json) {
    printJson({
      ...{ version: AGENT_VERSION, commit, protocolVersion: PROTOCOL_VERSION },
      ...{ packaged, signed: releaseKey !== null, node },
    });
  } else console.log(`${describeBuild('ai-fabric-agent', AGENT_VERSION)}\nNode ${node}`);
}
