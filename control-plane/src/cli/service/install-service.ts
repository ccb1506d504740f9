import { readFileSync, readlinkSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { CliError, exitCodes } from '../exit-codes.js';
import {
  carryOut,
  damaged,
  must,
  restore,
  type Site,
  startService,
  switchTo,
  writeUnit,
} from './carry-out.js';
import { checkFolder } from './check-folder.js';
import { readPorts } from './decide/judge-ports.js';
import { type InstallPlan, noteCommand, planInstall } from './decide/plan-install.js';
import { needsRegistry } from './decide/plan-rollback.js';
import type { ServiceFacts } from './decide/service-facts.js';
import { describeStep } from './decide/service-step.js';
import { gatherFacts } from './gather-facts.js';
import type { EarlierVersion, InstalledVersion } from './installed-record.js';
import type { Machine } from './machine.js';
import { type Proof, proveService } from './prove-service.js';
import { RecordBook, writeWhole } from './record-book.js';
import { refused } from './refused.js';
import { PLACES, SERVICE } from './service-places.js';
import { STARTER_FABRIC } from './starter-files.js';

export interface InstallOptions {
  /** The unpacked archive, absolute. */
  readonly archive: string;
  readonly version: string;
  /** Variables that flags asked for. */
  readonly variables: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
  /** How long the service may take until it answers. */
  readonly waitMs: number;
  /** Of a fabric.yaml where there is none. */
  readonly starter?: string;
}

export interface Installed {
  readonly kind: 'install' | 'upgrade' | 'repair';
  readonly folder: string;
  readonly steps: readonly string[];
  /** `null`: nothing was started. */
  readonly proof: Extract<Proof, { ok: true }> | null;
  readonly note: string | null;
}

/** A first start makes a certificate and reads everything from a cold disk. */
export const DEFAULT_WAIT_MS = 90_000;

/**
 * Installs, upgrades or repairs the service. An upgrade whose version does not come up goes back by itself.
 *
 * @throws CliError with what mends it
 */
export async function installService(machine: Machine, options: InstallOptions): Promise<Installed> {
  const { archive, version, dryRun, waitMs, starter = STARTER_FABRIC } = options;
  const check = checkFolder(archive);
  if (!check.ok) throw damaged(archive, check.problems);
  const site: Site = { machine, book: new RecordBook(machine), archive, starter };
  if (!dryRun) await settleCutOff(site, waitMs);
  const facts = await gatherFacts(machine, readFileSync(join(archive, 'systemd', SERVICE), 'utf8'));
  const folder = `${version}-${check.build}`;
  const plan = planInstall(facts, {
    offered: { version, folder, bytes: check.bytes },
    variables: options.variables,
    unknownHosts: facts.isImage ? [] : await unknownHosts(machine, options.variables),
    backupFile: join(PLACES.backups, `before-${folder}.backup`),
  });
  if (!plan.ok) throw refused(plan.refusal);
  const steps = plan.steps.map(describeStep).filter((each) => each !== null);
  const note = noteCommand(facts.command);
  if (dryRun) return { kind: plan.kind, folder, steps, proof: null, note };
  const proof = await carryOutPlan(site, plan, { version, folder }, facts, waitMs);
  return { kind: plan.kind, folder, steps, proof, note };
}

async function unknownHosts(machine: Machine, variables: InstallOptions['variables']): Promise<string[]> {
  const names = readPorts(null, variables).hosts.filter((host) => isIP(host) === 0);
  const known = await Promise.all(names.map((name) => machine.resolves(name)));
  return names.filter((_name, index) => !known[index]);
}

type Plan = Extract<InstallPlan, { ok: true }>;

async function carryOutPlan(
  site: Site,
  plan: Plan,
  to: InstalledVersion,
  facts: ServiceFacts,
  waitMs: number,
): Promise<Extract<Proof, { ok: true }> | null> {
  const { machine, book } = site;
  let proof: Extract<Proof, { ok: true }> | null = null;
  let isStopped = false;
  let isStarted = false;
  try {
    for (const step of plan.steps) {
      // From its start on it is the proof that may be cut short: what comes after that is done to its end.
      if (!isStarted && machine.takeInterruption()) throw interrupted();
      if (step.kind === 'stop') isStopped = true;
      if (step.kind === 'start') isStarted = true;
      const text = describeStep(step);
      if (text !== null) machine.say(`  ${text}`);
      if (step.kind === 'note_upgrade') noteUpgrade(site, plan, to);
      else if (step.kind === 'note_done') noteDone(site, plan, to);
      else if (step.kind === 'prove') proof = await prove(machine, waitMs);
      else await carryOut(site, step);
    }
    return proof;
  } catch (error) {
    const arePutBack = putSettingsBack(machine, facts.settingsThere.variables);
    if (book.record.upgrade !== null) throw await goBack(site, error, facts.unit.active, waitMs);
    if (!isStopped || (isStarted && !arePutBack)) throw error;
    throw await runAgain(site, error, waitMs);
  }
}

function interrupted(): CliError {
  const fix = 'what was done before stands: run it again, and it goes on';
  return new CliError(exitCodes.failed, 'interrupted', fix, { code: 'interrupted' });
}

function noteUpgrade({ book }: Site, { from }: Plan, to: InstalledVersion): void {
  if (from !== null) book.change({ upgrade: { from, to } });
}

function noteDone({ book }: Site, { kind, from }: Plan, current: InstalledVersion): void {
  book.change({ current, upgrade: null, ...(kind === 'upgrade' ? { previous: from } : {}) });
}

/** @throws CliError with its last words */
export async function prove(machine: Machine, waitMs: number): Promise<Extract<Proof, { ok: true }>> {
  const proof = await proveService(machine, waitMs);
  if (proof.ok) return proof;
  const words = proof.lastWords.map((line) => `\n    ${line.slice(0, 300)}`).join('');
  const fix = `look at its log: journalctl -u ${SERVICE}`;
  throw new CliError(exitCodes.failed, `${SERVICE} did not come up: ${proof.why}${words}`, fix);
}

/** Those that it was not to have, for they did not work. @returns whether there were any others */
function putSettingsBack(machine: Machine, before: string | null): boolean {
  const file = machine.at(PLACES.variables);
  if (before === null || readFileSync(file, 'utf8') === before) return false;
  writeWhole(file, before, 0o600);
  return true;
}

/** A service that a repair stopped, as it was before. @returns what is to be thrown */
async function runAgain({ machine }: Site, cause: unknown, waitMs: number): Promise<CliError> {
  const why = cause instanceof Error ? cause.message : String(cause);
  const { fix, details } = cause instanceof CliError ? cause : { fix: null, details: {} };
  machine.say('  that failed: going back to the settings of before');
  try {
    must(await machine.run('systemctl', ['stop', SERVICE]));
    await startService(machine);
    await prove(machine, waitMs);
    return new CliError(
      exitCodes.failed,
      `${why}\nIt runs again, with the settings of before.`,
      fix,
      details,
    );
  } catch (error) {
    const second = error instanceof Error ? error.message : String(error);
    const message = `${why}\nand starting it with the settings of before failed as well: ${second}`;
    return new CliError(exitCodes.failed, message, fix, details);
  }
}

/** Back to the version before, and to its registry where the newer one changed that. @returns what is to be thrown */
async function goBack(site: Site, cause: unknown, wasActive: boolean, waitMs: number): Promise<CliError> {
  const { machine, book } = site;
  const { upgrade } = book.record;
  const why = cause instanceof Error ? cause.message : String(cause);
  const fix = cause instanceof CliError ? cause.fix : null;
  if (upgrade === null) return new CliError(exitCodes.failed, why, fix);
  const { from, to } = upgrade;
  machine.say(`  ${to.version} (${to.folder}) failed: going back to ${from.version} (${from.folder})`);
  try {
    const restored = await returnTo(site, from);
    book.change({ upgrade: null });
    if (wasActive) {
      await startService(machine);
      await prove(machine, waitMs);
    }
    const registry = restored ? 'with its registry as it was before' : 'and its registry is untouched';
    const state = wasActive ? 'runs again' : 'is in place again, stopped as it was';
    return new CliError(exitCodes.failed, `${why}\n${from.version} ${state}, ${registry}`, fix, {
      code: 'rolled_back',
    });
  } catch (error) {
    const second = error instanceof Error ? error.message : String(error);
    const backup = from.backup === null ? '' : `; the registry of before is in ${from.backup}`;
    const message = `${why}\nand going back to ${from.version} failed as well: ${second}${backup}`;
    return new CliError(exitCodes.failed, message, `journalctl -u ${SERVICE}; then run the installer again`);
  }
}

/** Leaves the service stopped. @returns whether the registry was put back */
export async function returnTo(site: Site, to: EarlierVersion, wantsRegistry = false): Promise<boolean> {
  const { machine } = site;
  await carryOut(site, { kind: 'stop' });
  const { registry } = await gatherFacts(machine);
  const schemaNow = registry.kind === 'sound' ? registry.schema : null;
  const restores = to.backup !== null && (wantsRegistry || needsRegistry(to, schemaNow));
  if (restores && to.backup !== null) await restore(machine, to.folder, to.backup);
  switchTo(machine, to.folder);
  await writeUnit(site, to.folder);
  return restores;
}

/** An upgrade that was cut off (a power cut, a closed terminal): what came up stays, what did not goes back. */
export async function settleCutOff(site: Site, waitMs: number): Promise<void> {
  const { machine, book } = site;
  const { upgrade } = book.record;
  if (upgrade === null || machine.root !== '/' || !machine.isRoot) return;
  machine.say(
    `  an upgrade from ${upgrade.from.version} to ${upgrade.to.version} was cut off: settling it first`,
  );
  const facts = await gatherFacts(machine);
  const proof = facts.unit.active ? await proveService(machine, waitMs) : null;
  const runs = readlinkSync(machine.at(PLACES.current)).replace(/^versions\//, '');
  if (proof?.ok && runs === upgrade.to.folder) {
    book.change({ current: upgrade.to, previous: upgrade.from, upgrade: null });
    return;
  }
  await returnTo(site, upgrade.from);
  await startService(machine);
  await prove(machine, waitMs);
  book.change({ upgrade: null });
}
