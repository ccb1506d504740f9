import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@ai-fabric/shared';
import { Command } from 'commander';
import { judgePurge } from '../../install/decide/judge-uninstall.js';
import { planUninstall, type UninstallPlan } from '../../install/decide/plan-uninstall.js';
import { holdAlone } from '../../install/hold-alone.js';
import { InstallRefusedError } from '../../install/install-errors.js';
import { type InstallRecord, readInstallRecord } from '../../install/install-record.js';
import type { InstallSystem, Made } from '../../install/install-steps.js';
import { prepareUninstall } from '../../install/prepare-uninstall.js';
import { askVerb } from '../../status/status-socket.js';
import { askYes, canAsk } from '../ask-yes.js';
import { exitCodes, exitCodesOf, UsageError } from '../exit-codes.js';
import { openSystem } from '../open-system.js';
import { printJson } from '../output.js';
import { watchInterruption } from '../watch-interruption.js';

interface UninstallOptions {
  readonly purge?: boolean;
  readonly withModels?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const WAITS = {
  draining: 'Requests that run are finished, and replicas stopped …',
  silent: 'The agent runs and does not answer: it is asked again, for four minutes at most …',
};

export function uninstallCommand(): Command {
  return new Command('uninstall')
    .description('Take away what an install made, and say what stays')
    .option(
      '--purge',
      'settings, key and what was joined too: the host is then a new one to the control plane',
    )
    .option(
      '--with-models',
      'with --purge: the containers and models of a Podman of the agent’s own user (rootless) too',
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      `
Requests that run are finished first, and replicas are stopped. What nobody installed is not touched. Containers,
models and the journal stay, with the commands that remove them. While an upgrade is under way, and where a replica
does not end or the agent does not answer, nothing is taken away.
A rootless Podman keeps its models in the agent’s own folder: a purge is refused there without --with-models.
Needs root; on Windows an administrator.

Examples:
  sudo ai-fabric-agent uninstall --dry-run
  sudo ai-fabric-agent uninstall
  sudo ai-fabric-agent uninstall --purge --yes
${exitCodesOf('ok', ['failed', 'nothing was installed, a replica does not end, the agent does not answer, or something could not be taken away'], 'usage')}`,
    )
    .action(uninstall);
}

async function uninstall(options: UninstallOptions): Promise<void> {
  const system = await openSystem();
  if (options.dryRun) return uninstallAlone(system, options);
  const refusal = await system.refuseUninstall();
  if (refusal !== null) throw new InstallRefusedError([refusal]);
  await holdAlone(system.lockPath, () => uninstallAlone(system, options));
}

async function uninstallAlone(
  system: InstallSystem,
  { purge = false, withModels = false, dryRun = false, yes, json = false }: UninstallOptions,
): Promise<void> {
  const record = await readInstallRecord(system.recordPath);
  if (record === null) {
    if (json) printJson({ uninstalled: false, reason: 'not_installed' });
    else console.log(`No install of an agent is recorded here (${system.recordPath} is not there).`);
    process.exitCode = exitCodes.failed;
    return;
  }
  const kept = purge ? judgePurge(await system.storageWithin(), withModels) : null;
  if (kept !== null) throw new InstallRefusedError([kept]);
  const plan = planUninstall(record, purge);
  if (dryRun) {
    if (json) printJson({ uninstalled: false, ...namesOf(plan) });
    else tellPlan(plan);
    return;
  }
  if (!yes && !(await isWanted(plan))) {
    console.log('Nothing was done.');
    return;
  }
  const interruption = watchInterruption();
  const isInterrupted = (): boolean => interruption.isAsked;
  try {
    const leftovers = await prepare(system, purge, json, isInterrupted);
    await takeAway({ system, record, plan, leftovers, json, isInterrupted });
  } finally {
    interruption.close();
  }
}

async function isWanted(plan: UninstallPlan): Promise<boolean> {
  if (!canAsk()) throw new UsageError('Nobody can be asked here: add --yes, or see first with --dry-run.');
  tellPlan(plan);
  return askYes('Take this away?');
}

function prepare(
  system: InstallSystem,
  purge: boolean,
  json: boolean,
  isInterrupted: () => boolean,
): Promise<readonly string[]> {
  const { platform } = process;
  return prepareUninstall({
    ...{ system, purge, platform, pause, isInterrupted, clock: systemClock() },
    ask: (verb) => askVerb(system.stateDirectory, platform, verb),
    onWait: (why) => {
      if (!json) console.log(WAITS[why]);
    },
  });
}

interface TakeAway {
  readonly system: InstallSystem;
  readonly record: InstallRecord;
  readonly plan: UninstallPlan;
  readonly leftovers: readonly string[];
  readonly json: boolean;
  readonly isInterrupted: () => boolean;
}

async function takeAway(options: TakeAway): Promise<void> {
  const { system, record, plan, leftovers, json, isInterrupted } = options;
  const { runUninstall } = await import('../../install/run-uninstall.js');
  const problems: { what: string; problem: string }[] = [];
  const removed: string[] = [];
  const { untouched, foreign } = await runUninstall({
    ...{ system, record, plan, isInterrupted },
    onDone: (made, problem) => {
      if (problem === null) removed.push(nameOf(made));
      else problems.push({ what: nameOf(made), problem });
      if (json) return;
      console.log(problem === null ? `  ✓ ${nameOf(made)} is gone` : `  ✗ ${nameOf(made)}: ${problem}`);
    },
  });
  const notOurs = foreign.map((path) => `${path}, which no install made`);
  const stays = [...plan.stays.map(nameOf), ...notOurs, ...leftovers];
  const isWhole = problems.length === 0 && untouched.length === 0;
  if (json) printJson({ uninstalled: isWhole, removed, problems, untouched: untouched.map(nameOf), stays });
  else {
    if (untouched.length > 0) console.log('Interrupted. Run the same again for what is still to go:');
    for (const made of untouched) console.log(`  ${nameOf(made)}`);
    tellStays(stays);
  }
  if (!isWhole) process.exitCode = exitCodes.failed;
}

function tellPlan(plan: UninstallPlan): void {
  console.log('This is taken away, after replicas that serve have ended:');
  for (const made of plan.remove) console.log(`  ${nameOf(made)}`);
  tellStays(plan.stays.map(nameOf));
}

function tellStays(stays: readonly string[]): void {
  if (stays.length === 0) return;
  console.log('What stays:');
  for (const each of stays) console.log(`  ${each}`);
}

function namesOf({ remove, stays }: UninstallPlan): { remove: string[]; stays: string[] } {
  return { remove: remove.map(nameOf), stays: stays.map(nameOf) };
}

const KINDS: Readonly<Record<Made['kind'], string>> = {
  folder: '',
  tree: '',
  file: '',
  link: '',
  account: 'the account ',
  membership: 'the membership ',
  service: 'the service ',
  lingering: 'services without a session of ',
  task: 'the task ',
  registry: 'the key ',
};

function nameOf({ kind, what }: Made): string {
  return `${KINDS[kind]}${what}`;
}
