import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { declaredSchema } from '../../api/declared-schemas.js';
import { writeFabricYaml } from '../../declared/write-fabric-yaml.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';

export function exportCommand(): Command {
  return withConnection(
    new Command('export')
      .description('print the declared state as a fabric.yaml; applying it changes nothing')
      .option('--out <file>', 'write it there instead'),
  )
    .addHelpText(
      'after',
      `
Defaults are written out. With --json the same as JSON, with its revision.

Examples:
  ai-fabric export --out fabric.yaml
  ai-fabric export | ai-fabric diff - --url https://spare:8443 --admin-token-file spare.token`,
    )
    .action(exportDeclared);
}

async function exportDeclared(flags: ConnectionFlags & { out?: string }): Promise<void> {
  const declared = await connect(flags).get('/declared', declaredSchema);
  const text = flags.json
    ? `${JSON.stringify(declared, null, 2)}\n`
    : writeFabricYaml(declared.document, [
        `The declared state of an AI Fabric at revision ${declared.revision}, as "ai-fabric export" gives it.`,
      ]);
  if (flags.out === undefined) process.stdout.write(text);
  else {
    writeFileSync(flags.out, text);
    console.error(`written to ${flags.out} (revision ${declared.revision})`);
  }
}
