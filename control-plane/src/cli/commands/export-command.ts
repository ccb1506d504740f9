import { Command } from 'commander';
import { declaredSchema } from '../../api/declared-schemas.js';
import { leaveOutUnset } from '../../declared/decide/leave-out-unset.js';
import { writeFabricYaml } from '../../declared/write-fabric-yaml.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { writeTextFile } from '../write-text-file.js';

interface ExportFlags extends ConnectionFlags {
  out?: string;
  force?: boolean;
}

export function exportCommand(): Command {
  return withConnection(
    new Command('export')
      .description('print the declared state as a fabric.yaml; applying it changes nothing')
      .option('--out <file>', 'write it there instead; a file that is there is kept')
      .option('--force', 'replace the file if it is there'),
  )
    .addHelpText(
      'after',
      `
Defaults are written out; what is unset is not. With --json all of it as JSON, with its revision.

Examples:
  ai-fabric export --out fabric.yaml
  ai-fabric export --force --out fabric.yaml      # over the one that is there
  ai-fabric export | ai-fabric diff - --url https://spare:8443 --admin-token-file spare.token`,
    )
    .action(exportDeclared);
}

async function exportDeclared(flags: ExportFlags): Promise<void> {
  const declared = await connect(flags).get('/declared', declaredSchema);
  const text = flags.json
    ? `${JSON.stringify(declared, null, 2)}\n`
    : writeFabricYaml(leaveOutUnset(declared.document), [
        `The declared state of an AI Fabric at revision ${declared.revision}, as "ai-fabric export" gives it.`,
      ]);
  if (flags.out === undefined) process.stdout.write(text);
  else {
    const fix = 'name another file, or replace it with --force';
    writeTextFile(flags.out, text, { replace: flags.force === true, fix });
    console.error(`written to ${flags.out} (revision ${declared.revision})`);
  }
}
