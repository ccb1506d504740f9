import { createInterface } from 'node:readline';
import { Command } from 'commander';
import type { z } from 'zod';
import { cachedModelsSchema, modelRemovedSchema, prefetchLineSchema } from '../../api/model-schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { age, gib, printJson, printTable } from '../output.js';
import { ProgressLine } from '../progress-line.js';

interface HostFlags extends ConnectionFlags {
  host: string;
}

type PrefetchLine = z.infer<typeof prefetchLineSchema>;

const LONG_TIMEOUT_MS = 90_000;

export function modelsCommand(): Command {
  const models = new Command('models').description('model files in the caches of hosts: ls, prefetch, rm');
  const ls = models.command('ls').alias('list').description('what is cached on a host, and how large it is');
  withHost(ls).action(async (flags: HostFlags) => {
    const listed = await connect(flags).get(`${pathOf(flags)}`, cachedModelsSchema, LONG_TIMEOUT_MS);
    if (flags.json) printJson(listed);
    else printModels(listed);
  });
  const prefetch = models
    .command('prefetch <model>')
    .description('fetch a model now, so that a later start finds it there')
    .option('--revision <revision>', 'a branch, tag or commit of it');
  withHost(prefetch).action(async (model: string, flags: HostFlags & { revision?: string }) => {
    await prefetchModel(model, flags);
  });
  const rm = models.command('rm <model>').description('remove a model that no deployment of the host loads');
  withHost(rm).action(async (model: string, flags: HostFlags) => {
    const path = `${pathOf(flags)}/${model.split('/').map(encodeURIComponent).join('/')}`;
    const removed = await connect(flags).deleteFor(path, modelRemovedSchema, LONG_TIMEOUT_MS);
    if (flags.json) printJson(removed);
    else console.log(`${model} is removed from ${flags.host}, ${gib(removed.freedBytes)} are free again`);
  });
  return models.addHelpText(
    'after',
    `
The host's agent looks into the cache with a container of the engine's image, so a deployment must have pulled it once.

Examples:
  ai-fabric models ls --host armitage
  ai-fabric models prefetch Qwen/Qwen2.5-7B-Instruct-AWQ --host armitage     # while it happens to be on
  ai-fabric models rm Qwen/Qwen2.5-7B-Instruct-AWQ --host armitage`,
  );
}

function withHost(command: Command): Command {
  return withConnection(command.requiredOption('--host <host>', 'whose cache'));
}

function pathOf({ host }: HostFlags): string {
  return `/hosts/${encodeURIComponent(host)}/models`;
}

async function prefetchModel(model: string, flags: HostFlags & { revision?: string }): Promise<void> {
  const progress = new ProgressLine(process.stderr);
  let last: PrefetchLine | null = null;
  const body = { model, ...(flags.revision === undefined ? {} : { revision: flags.revision }) };
  try {
    await connect(flags).stream('POST', `${pathOf(flags)}/prefetch`, body, async (answer) => {
      for await (const text of createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY })) {
        const line = prefetchLineSchema.safeParse(parse(text));
        if (!line.success) continue;
        last = line.data;
        if (last.kind === 'progress') progress.show(`${model}: ${bytesText(last)}`, 'progress');
      }
    });
  } finally {
    progress.end();
  }
  tellEnd(model, flags, last);
}

/** @throws CliError where it did not come whole */
function tellEnd(model: string, flags: HostFlags, last: PrefetchLine | null): void {
  if (last?.kind === 'done') {
    if (flags.json) printJson({ model, host: flags.host, sizeBytes: last.bytes });
    else console.log(`${model} is on ${flags.host}, ${gib(last.bytes)}`);
    return;
  }
  const why =
    last?.kind === 'failed' ? last : { code: 'cut_off', detail: 'the answer ended before it was done' };
  const fix = 'what came of it is kept: try again, it goes on from there';
  throw new CliError(exitCodes.failed, `${model}: ${why.detail}`, fix, { code: why.code });
}

function bytesText({
  doneBytes,
  totalBytes,
}: {
  readonly doneBytes: number;
  readonly totalBytes: number | null;
}): string {
  return totalBytes === null ? `${gib(doneBytes)} so far` : `${gib(doneBytes)} of ${gib(totalBytes)}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function printModels({ models, totalBytes }: z.infer<typeof cachedModelsSchema>): void {
  const nowMs = Date.now();
  printTable(
    ['MODEL', 'SIZE', 'WHOLE', 'REVISIONS', 'CHANGED'],
    models.map(({ model, sizeBytes, complete, revisions, changedAtMs }) => [
      model,
      gib(sizeBytes),
      complete ? 'yes' : 'no',
      String(revisions.length),
      `${age(changedAtMs, nowMs)} ago`,
    ]),
  );
  console.log(`${gib(totalBytes)} in all`);
}
