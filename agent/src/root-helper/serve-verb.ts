import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentPolicy, type PowerVerb, powerVerbSchema } from '@ai-fabric/shared';
import type { RunTool } from '../identity/run-tool.js';
import { UpgradeError } from '../upgrade/upgrade-error.js';
import { HELPER_ANSWERS, type HelperAnswer, type HelperVerb } from './helper-verbs.js';

export interface ServeVerbOptions {
  readonly runTool: RunTool;
  /** What the host's owner allows, read from where the agent cannot write. @throws ConfigError */
  readonly readPolicy: () => Promise<Pick<AgentPolicy, 'power'>>;
  /** Takes in what the agent staged, and has it put in place. @throws Error */
  readonly upgrade: () => Promise<unknown>;
  readonly answers?: string;
  /** Where the kernel lists interfaces. */
  readonly netClass?: string;
}

type Outcome = Omit<HelperAnswer, 'verb'>;

const DONE: Outcome = { ok: true, code: null, detail: null };
const MAX_CARDS = 64;
const MAX_ETHTOOL = 16_384;

/**
 * The other side of `RootHelper`: does what the verb says, as root, and leaves the answer where the agent reads it. An
 * agent that somebody else has taken over can ask for no more than this: what the owner's policy refuses is refused here
 * too.
 *
 * @returns whether it was done
 */
export async function serveVerb(verb: HelperVerb, options: ServeVerbOptions): Promise<boolean> {
  const folder = options.answers ?? HELPER_ANSWERS;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const file = join(folder, `${verb}.json`);
  await rm(file, { force: true });
  const outcome = await carryOut(verb, options).catch(
    (error: unknown): Outcome => ({
      ok: false,
      code: error instanceof UpgradeError ? error.code : 'failed',
      detail: (error instanceof Error ? error.message : String(error)).slice(0, 2_000),
    }),
  );
  const answer: HelperAnswer = { verb, ...outcome };
  const beside = `${file}.${randomUUID()}`;
  await writeFile(beside, `${JSON.stringify(answer)}\n`, { flag: 'wx', mode: 0o644 });
  await rename(beside, file);
  return outcome.ok;
}

async function carryOut(verb: HelperVerb, options: ServeVerbOptions): Promise<Outcome> {
  switch (verb) {
    case 'suspend':
    case 'hibernate':
    case 'poweroff':
    case 'reboot':
      return power(verb, options);
    case 'read-wake-arming':
      return readWakeArming(options);
    case 'reload-uvm':
      return reloadUvm(options.runTool);
    case 'upgrade':
      await options.upgrade();
      return DONE;
    default:
      return verb satisfies never;
  }
}

async function power(verb: PowerVerb, { runTool, readPolicy }: ServeVerbOptions): Promise<Outcome> {
  const { power: allowed } = await readPolicy();
  if (!powerVerbSchema.options.some((known) => known === verb) || !allowed.includes(verb)) {
    const detail = `"power" in agent.yaml does not have ${verb}.`;
    return { ok: false, code: 'policy_refused', detail };
  }
  await runTool('systemctl', [verb, '--no-ask-password']);
  return DONE;
}

/** Of cards alone: bridges, tunnels and containers' ends have no device. */
async function readWakeArming({ runTool, netClass = '/sys/class/net' }: ServeVerbOptions): Promise<Outcome> {
  const ethtool: Record<string, string> = {};
  const names = await readdir(netClass).catch(() => []);
  for (const name of names.slice(0, MAX_CARDS)) {
    const isCard = await stat(join(netClass, name, 'device')).then(
      () => true,
      () => false,
    );
    if (isCard) ethtool[name] = (await runTool('ethtool', [name]).catch(() => '')).slice(0, MAX_ETHTOOL);
  }
  return { ...DONE, ethtool };
}

/** CUDA's own part of the driver: what usually does not survive a suspend. */
async function reloadUvm(runTool: RunTool): Promise<Outcome> {
  await runTool('modprobe', ['--remove', 'nvidia_uvm']);
  await runTool('modprobe', ['nvidia_uvm']);
  return DONE;
}
