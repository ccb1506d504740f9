import { existsSync, lstatSync, readdirSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dataDirectoryLayout } from '../../config/data-directory-layout.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { must } from './carry-out.js';
import { describeRemoval, planUninstall, type Remains, type RemovalStep } from './decide/plan-uninstall.js';
import { gatherFacts } from './gather-facts.js';
import type { ReplacedLitellm } from './installed-record.js';
import type { Machine } from './machine.js';
import { RecordBook } from './record-book.js';
import { refused } from './refused.js';
import { PLACES, SERVICE, SERVICE_USER } from './service-places.js';
import { startLitellm } from './start-litellm.js';

export interface Uninstalled {
  readonly steps: readonly string[];
  readonly stays: readonly Remains[];
}

const STOP_WITHIN_MS = 180_000;
const OUR_SETTINGS = [PLACES.fabricFile, PLACES.importedFile, PLACES.variables];

/**
 * Removes what the installation made; configuration and data only with `purge`.
 *
 * @throws CliError with what mends it
 */
export async function uninstallService(
  machine: Machine,
  { purge, dryRun }: { readonly purge: boolean; readonly dryRun: boolean },
): Promise<Uninstalled> {
  const book = new RecordBook(machine);
  const plan = planUninstall(await gatherFacts(machine), purge);
  if (!plan.ok) throw refused(plan.refusal);
  const steps = plan.steps.map(describeRemoval);
  if (dryRun) return { steps, stays: plan.stays };
  for (const step of plan.steps) {
    machine.say(`  ${describeRemoval(step)}`);
    await remove(machine, step, book.record.litellm);
    if (step.kind === 'give_port_back') book.change({ litellm: null });
  }
  if (!purge) book.change({ current: null, previous: null, upgrade: null });
  return {
    steps,
    stays: [
      ...plan.stays,
      ...(purge ? foreignFiles(machine, [PLACES.settings, PLACES.data]) : []),
      ...foreignFiles(machine, [PLACES.dropIns]),
    ],
  };
}

async function remove(machine: Machine, step: RemovalStep, litellm: ReplacedLitellm | null): Promise<void> {
  const { at, root } = machine;
  const image = root === '/' ? [] : [`--root=${root}`];
  switch (step.kind) {
    case 'stop':
      return must(await machine.run('systemctl', ['stop', SERVICE], { timeoutMs: STOP_WITHIN_MS }));
    case 'remove_unit':
      await machine.run('systemctl', [...image, 'disable', '--quiet', SERVICE]);
      rmSync(at(PLACES.unit), { force: true });
      if (root !== '/') return;
      await machine.run('systemctl', ['reset-failed', SERVICE]);
      return must(await machine.run('systemctl', ['daemon-reload']));
    case 'remove':
      if (step.path !== PLACES.command) refuseLink(at(step.path));
      return rmSync(at(step.path), { recursive: true, force: true });
    case 'remove_data':
      return removeData(machine);
    case 'remove_settings':
      return removeSettings(machine);
    case 'remove_user':
      return must(await machine.run('userdel', [...(root === '/' ? [] : ['--prefix', root]), SERVICE_USER]));
    case 'give_port_back':
      if (litellm !== null) await startLitellm(machine, litellm);
  }
}

/** Its removal would be that of the link alone, with all of ours still there. @throws CliError */
function refuseLink(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const message = `${path} is a link to ${readlinkSync(path)}, where all of it still is`;
  const fix = 'remove both by hand, and run it again';
  throw new CliError(exitCodes.failed, message, fix);
}

/** What is left is root's: the user that had it goes, and the next one may get its number. */
function removeData(machine: Machine): void {
  const directory = machine.at(PLACES.data);
  for (const name of readdirSync(directory).filter(isOfControlPlane)) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
  machine.give(directory, { uid: 0, gid: 0 });
}

function isOfControlPlane(name: string): boolean {
  const own = [...Object.values(dataDirectoryLayout('/')), PLACES.backups].map((path) => basename(path));
  return own.includes(name) || /^(?:registry\.sqlite-|\.before-restore-|\.restore-)/.test(name);
}

function removeSettings({ at }: Machine): void {
  for (const path of [...OUR_SETTINGS, PLACES.record]) rmSync(at(path), { force: true });
  const directory = at(PLACES.settings);
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory);
}

/** What somebody else put beside ours is theirs. */
function foreignFiles({ at }: Machine, directories: readonly string[]): Remains[] {
  return directories.flatMap((directory) =>
    (existsSync(at(directory)) ? readdirSync(at(directory)) : []).map((name) => ({
      path: join(directory, name),
      why: 'it is not of the installation',
    })),
  );
}
