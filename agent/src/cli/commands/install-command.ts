import { setTimeout as pause } from 'node:timers/promises';
import { type GoodbyeReason, systemClock } from '@ai-fabric/shared';
import { Command, Option } from 'commander';
import { readAgentConfig } from '../../config/read-agent-config.js';
import type { HostCheck } from '../../doctor/host-checks.js';
import { holdAlone } from '../../install/hold-alone.js';
import { InstallRefusedError } from '../../install/install-errors.js';
import {
  type EngineAccess,
  engineAccesses,
  type InstallPlan,
  type InstallRequest,
  type InstallSystem,
} from '../../install/install-steps.js';
import { ownCommand, ownProgram } from '../../own-command.js';
import { askYes, canAsk } from '../ask-yes.js';
import { formatCheck, summariseChecks } from '../decide/format-checks.js';
import { exitCodes, exitCodesOf } from '../exit-codes.js';
import { openSystem, readHost } from '../open-system.js';
import { printJson } from '../output.js';
import { readToken } from '../read-token.js';
import { watchInterruption } from '../watch-interruption.js';

interface InstallOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly name?: string;
  readonly release?: string;
  readonly podmanSocket?: EngineAccess;
  readonly dockerLogonTask?: boolean;
  readonly newIdentity?: boolean;
  readonly rejoin?: boolean;
  readonly allowDowngrade?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

type Accepted = Extract<InstallPlan, { ok: true }>;

/** An agent links within a second; what it says of its container engine and its network takes some more. */
const CHECKLIST_MS = 60_000;
/** The control plane's goodbye to a key that it does not know. */
const FORGOTTEN: GoodbyeReason = 'unknown_host';

export function installCommand(): Command {
  return new Command('install')
    .description(
      'Make the agent a service of this machine: placed, joined, started, and looked after at every boot',
    )
    .option('--server <URL>', 'the control plane’s TLS address, such as https://motoko:8443')
    .option('--token-file <FILE>', 'where the join token stands; "-" is standard input')
    .option('--name <NAME>', 'what this host is to be called; by default its own name')
    .option(
      '--release <DIR>',
      'a release, unpacked: manifest.json, manifest.sig, the program; by default this program',
    )
    .addOption(
      new Option(
        '--podman-socket <HOW>',
        'how the agent comes to Podman: by the group of its socket, a rootless Podman of its own, or not at all',
      ).choices([...engineAccesses]),
    )
    .option('--docker-logon-task', 'on Windows: a task that starts Docker Desktop when you sign in')
    .option('--no-docker-logon-task', 'on Windows: take that task away')
    .option('--new-identity', 'give up the key that is here: for a disk that was copied from another machine')
    .option('--rejoin', 'join although this host has joined before; its key stays')
    .option('--allow-downgrade', 'put an older version in the place of the newer one that is here')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print what was done, and the checklist, as JSON')
    .addHelpText(
      'after',
      `
Run again, it upgrades or repairs in place, and the host keeps its identity: no token is needed then. Each step is
recorded before it is done, so that one that dies half-way is completed by the next, or taken back by "uninstall".
An older version than the one that is here is refused (older_version), unless --allow-downgrade is given.
Needs root; on Windows an administrator. The usual way is the line that "ai-fabric token create" prints, which fetches a release and runs this.

--podman-socket group (the default; Docker’s group too) lets the agent use containers as root does: whoever may do that is as
good as root on this machine. "rootless" gives it a Podman that is not root, "none" no containers at all.

Examples:
  sudo ai-fabric-agent install --server https://motoko:8443 --token-file join.token
  sudo ai-fabric-agent install --dry-run
  sudo ai-fabric-agent install --podman-socket none
  ${ownCommand('install --docker-logon-task', 'win32')}
${exitCodesOf(['ok', 'installed and linked'], ['failed', 'not installed, or not linked yet; the message says why'], 'usage', 'refused', 'unreachable')}`,
    )
    .action(install);
}

async function install(options: InstallOptions): Promise<void> {
  const { json = false, dryRun = false } = options;
  const system = await openSystem();
  const request = await readRequest(options);
  if (dryRun) return tellPlan(await judge(system, request), json);
  await holdAlone(system.lockPath, () => installAlone(system, request, options));
}

async function judge(system: InstallSystem, request: InstallRequest): Promise<Accepted> {
  const plan = await system.plan(request);
  if (!plan.ok) throw new InstallRefusedError(plan.refusals);
  return plan;
}

async function installAlone(
  system: InstallSystem,
  request: InstallRequest,
  options: InstallOptions,
): Promise<void> {
  const { json = false } = options;
  const plan = await judge(system, request);
  if (!(await isWanted(plan, options))) {
    console.log('Nothing was done.');
    return;
  }
  const told = new Set<string>();
  let steps = await carryOut(system, plan, request, json);
  // A host that was taken off the list and gets a new line has joined, as far as it knows.
  const isSpare = request.token !== null && plan.steps.every(({ kind }) => kind !== 'join');
  let checks = await watch(system, told, json, isSpare);
  if (checks === null) {
    if (!json)
      console.log('! The control plane does not know this host any more. The token lets it join anew:');
    const anew = { ...request, rejoin: true };
    steps = [...steps, ...(await carryOut(system, await judge(system, anew), anew, json))];
    checks = (await watch(system, told, json, false)) ?? [];
  }
  const isLinked = checks.some(({ id, state }) => id === 'linked' && state === 'green');
  if (!isLinked) process.exitCode = exitCodes.failed;
  const { version } = plan.facts;
  const program = ownProgram(process.platform);
  if (json) printJson({ installed: true, version, linked: isLinked, steps, notes: plan.notes, checks });
  else console.log(`${summariseChecks(checks)}. Later: ${program} doctor, ${program} status.`);
}

async function readRequest(options: InstallOptions): Promise<InstallRequest> {
  const {
    server = null,
    tokenFile,
    name = null,
    release = null,
    podmanSocket = null,
    dockerLogonTask = null,
  } = options;
  const { newIdentity = false, rejoin = false, allowDowngrade = false } = options;
  // Whatever is wrong with these is told before a token is asked for.
  readAgentConfig({ server: server ?? undefined, name: name ?? undefined });
  const token = tokenFile === undefined || options.dryRun ? null : await readToken(tokenFile);
  const stands = options.dryRun && tokenFile !== undefined ? '(not read)' : token;
  return {
    ...{ server, name, release, newIdentity, rejoin, allowDowngrade },
    token: stands,
    engineAccess: podmanSocket,
    dockerLogonTask,
  };
}

/** Whoever has sent the token through standard input cannot be asked, and has said what they want. */
async function isWanted(plan: Accepted, { yes, json, tokenFile }: InstallOptions): Promise<boolean> {
  if (yes || json || tokenFile === '-' || !canAsk()) return true;
  tellPlan(plan, false);
  return askYes('Go on?');
}

function tellPlan({ steps, notes }: Accepted, json: boolean): void {
  if (json) {
    printJson({ installed: false, steps: steps.map(({ kind, tells }) => ({ kind, tells })), notes });
    return;
  }
  console.log('An install does this here:');
  for (const { tells } of steps) console.log(`  ${tells}`);
  for (const note of notes) console.log(`! ${note}`);
}

async function carryOut(
  system: InstallSystem,
  { steps, facts, notes }: Accepted,
  request: InstallRequest,
  json: boolean,
): Promise<readonly { readonly kind: string; readonly detail: string | null }[]> {
  const { runInstall } = await import('../../install/run-install.js');
  const done: { kind: string; detail: string | null }[] = [];
  const interruption = watchInterruption();
  await runInstall({
    ...{ system, request, steps, facts },
    isInterrupted: () => interruption.isAsked,
    onDone: ({ kind, tells }, detail) => {
      done.push({ kind, detail });
      if (!json) console.log(`  ✓ ${tells}${detail === null ? '' : ` (${detail})`}`);
    },
  }).finally(() => interruption.close());
  if (!json) for (const note of notes) console.log(`! ${note}`);
  return done;
}

/** @param told of checks, by now @param isSpare a token is there that nobody has used: @returns `null` where one is needed */
async function watch(
  { stateDirectory }: InstallSystem,
  told: Set<string>,
  json: boolean,
  isSpare: boolean,
): Promise<readonly HostCheck[] | null> {
  const { watchHost } = await import('../../doctor/watch-host.js');
  const config = readAgentConfig({ state: stateDirectory });
  if (!json) console.log('Installed. What serving stands on:');
  const tell = (check: HostCheck): void => {
    if (told.has(check.id)) return;
    told.add(check.id);
    if (!json) console.log(formatCheck(check));
  };
  const checks = await watchHost({
    readFacts: () => readHost(config, false),
    ...{ clock: systemClock(), pause },
    deadlineMs: CHECKLIST_MS,
    onKnown: tell,
    isHopeless: ({ agent }) => isSpare && agent.kind === 'runs' && agent.link.problemCode === FORGOTTEN,
  });
  for (const check of checks ?? []) tell(check);
  return checks;
}
