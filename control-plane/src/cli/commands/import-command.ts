import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { importLitellm, type PlacedNote } from '../../litellm/import-litellm.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';
import { readInput } from '../read-input.js';
import { writeTextFile } from '../write-text-file.js';

interface ImportFlags {
  out?: string;
  json?: boolean;
}

export function importCommand(): Command {
  const command = new Command('import').description(
    'make a fabric.yaml of the configuration of another program',
  );
  command
    .command('litellm')
    .description("LiteLLM's config.yaml: models, aliases, fallbacks and provider settings")
    .argument('<file>', 'the config.yaml of a LiteLLM proxy; "-" for standard input')
    .option('--out <file>', 'write the fabric.yaml there; a file that exists is kept')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Needs no control plane and reads nothing but the file. The fabric.yaml goes to standard output, what has no
counterpart and what to review to standard error. Keys are carried over as references, never as themselves.

Examples:
  ai-fabric import litellm config.yaml --out fabric.yaml
  ai-fabric import litellm config.yaml --json`,
    )
    .action(run);
  return command;
}

async function run(file: string, flags: ImportFlags): Promise<void> {
  const result = importLitellm(await read(file), file === '-' ? 'standard input' : file);
  if (!result.ok)
    throw new CliError(exitCodes.refused, result.mistakes, 'mend the file; nothing was written');
  const { fabric, notes } = result;
  if (flags.out !== undefined) {
    writeTextFile(flags.out, fabric, { replace: false, fix: 'name another file with --out' });
  }
  if (flags.json) {
    printJson({ fabric, notes, out: flags.out ?? null });
    return;
  }
  if (flags.out === undefined) process.stdout.write(fabric);
  else console.log(`written to ${flags.out}`);
  report(file, 'Has no counterpart, and was left out:', notes, 'no_counterpart');
  report(file, 'To review:', notes, 'review');
}

function report(file: string, title: string, notes: readonly PlacedNote[], kind: PlacedNote['kind']): void {
  const listed = notes.filter((each) => each.kind === kind);
  if (listed.length === 0) return;
  console.error(title);
  for (const { line, path, message } of listed) console.error(`  ${file}:${line}: ${path}: ${message}`);
}

async function read(file: string): Promise<string> {
  if (file === '-') return (await readInput()).toString('utf8');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new CliError(exitCodes.failed, `cannot read ${file}: ${detail}`);
  }
}
