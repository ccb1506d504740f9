import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseSeconds } from '../parse-seconds.js';

export interface EntryFlags {
  preset?: string;
  card?: number;
  host?: string;
  model?: string;
  revision?: string;
  image?: string;
  task?: string;
  quantization?: string;
  context?: number;
  maxConcurrent?: number;
  gpu?: number | string;
  gpuMemory?: number;
  arg?: readonly string[];
  env?: Readonly<Record<string, unknown>>;
  reach?: string;
  port?: number;
  address?: string;
  parkable?: boolean;
  readyWithin?: number;
  drainWithin?: number;
  adopt?: string;
  servedModel?: string;
}

/** Flag → field of the entry, where the value goes as it is. */
const FIELDS = {
  preset: 'preset',
  card: 'cardGigabytes',
  host: 'host',
  model: 'model',
  revision: 'revision',
  image: 'image',
  task: 'task',
  quantization: 'quantization',
  context: 'contextTokens',
  maxConcurrent: 'maxConcurrent',
  gpu: 'gpu',
  gpuMemory: 'gpuMemoryRatio',
  arg: 'extraArguments',
  env: 'environment',
  reach: 'reach',
  port: 'port',
  address: 'address',
  parkable: 'parkable',
  readyWithin: 'readyWithinSeconds',
  drainWithin: 'drainWithinSeconds',
  adopt: 'adopt',
  servedModel: 'servedModel',
} as const satisfies Record<keyof EntryFlags, string>;

/** The fields of a deployment, as flags. What may stand in each is checked where it is declared. */
export function withEntryFlags(command: Command): Command {
  return command
    .option('--preset <name>', 'model, image and settings for a role, as chat-fast')
    .addOption(
      new Option('--card <gigabytes>', 'the card that the preset is to fit, 8 or 12').argParser(toNumber),
    )
    .option('--host <host>', 'the host that it runs on')
    .option('--model <model>', 'a Hugging Face model, as Qwen/Qwen2.5-7B-Instruct-AWQ')
    .option('--revision <revision>', 'a branch, tag or commit of the model')
    .option('--image <image>', 'the engine’s image, with a tag or a digest')
    .option('--task <task>', 'chat, embeddings, transcription or rerank')
    .option('--quantization <method>', 'as awq, gptq, fp8')
    .addOption(new Option('--context <tokens>', 'prompt and answer together').argParser(toNumber))
    .addOption(new Option('--max-concurrent <n>', 'requests at once').argParser(toNumber))
    .addOption(new Option('--gpu <card>', '"any", "none", its index or its UUID').argParser(toGpu))
    .addOption(new Option('--gpu-memory <ratio>', 'of the card’s memory, as 0.85').argParser(toNumber))
    .addOption(new Option('--arg <argument>', 'for the engine; may be given again').argParser(toList))
    .addOption(
      new Option(
        '--env <name=value>',
        'as HF_TOKEN=env:HF_TOKEN or TOKEN=file:/path, both read on the host; or NAME=value; may be given again',
      ).argParser(toEnvironment),
    )
    .option('--reach <reach>', '"tunnel", or "direct": the port is open on the host')
    .addOption(new Option('--port <port>', 'of the host').argParser(toNumber))
    .option('--address <address>', 'where that port is reached (default: where its host’s link comes from)')
    .option('--parkable', 'started so that it can be parked')
    .option('--no-parkable', 'not so')
    .addOption(new Option('--ready-within <time>', 'else it failed; as 15m').argParser(parseSeconds(1)))
    .addOption(new Option('--drain-within <time>', 'for requests that finish').argParser(parseSeconds(0)))
    .option('--adopt <container>', 'a container that runs already, by its name')
    .option('--served-model <name>', 'what the engine calls the model (default: the deployment’s name)');
}

/** As the fields stand in a fabric file; only those that were given. */
export function readEntryFlags(flags: EntryFlags): Readonly<Record<string, unknown>> {
  const given = Object.entries(FIELDS).map(
    ([flag, field]) => [field, flags[flag as keyof EntryFlags]] as const,
  );
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function toNumber(text: string): number {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError('expected a number.');
  return Number(text);
}

/** An index; else as it is written. */
function toGpu(text: string): number | string {
  return /^\d{1,3}$/.test(text) ? Number(text) : text;
}

function toList(text: string, before: unknown): readonly string[] {
  return [...(Array.isArray(before) ? (before as string[]) : []), text];
}

function toEnvironment(text: string, before: unknown): Readonly<Record<string, unknown>> {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('expected NAME=env:NAME, NAME=file:/path or NAME=value.');
  }
  return { ...(before as Record<string, unknown> | undefined), [name]: toReference(value) };
}

function toReference(value: string): unknown {
  const [, kind, rest] = /^(env|file):(.+)$/s.exec(value) ?? [];
  if (kind === 'env') return { env: rest };
  return kind === 'file' ? { file: rest } : { value };
}
