import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { CliError, exitCodes } from '../exit-codes.js';
import { checkFolder } from './check-folder.js';
import type { Account } from './decide/service-facts.js';
import type { ServiceStep } from './decide/service-step.js';
import { setVariables } from './decide/variables.js';
import { readAccount } from './gather-facts.js';
import type { InstalledRecord } from './installed-record.js';
import type { Machine } from './machine.js';
import { type RecordBook, writeWhole } from './record-book.js';
import type { RunResult } from './run-program.js';
import { PLACES, SERVICE, SERVICE_USER } from './service-places.js';
import { STARTER_VARIABLES } from './starter-files.js';

/** What steps act on. */
export interface Site {
  readonly machine: Machine;
  readonly book: RecordBook;
  /** The unpacked archive. */
  readonly archive: string;
  /** Of a fabric.yaml where there is none. */
  readonly starter: string;
}

/** Steps that are not told apart by how an upgrade goes: those have their own executor. */
export type PlainStep = Exclude<ServiceStep, { kind: 'note_upgrade' | 'note_done' | 'prove' }>;

const STOP_WITHIN_MS = 180_000;
const COPY_WITHIN_MS = 900_000;

/** Does one step. Each may be done again. @throws CliError with what mends it */
export async function carryOut(site: Site, step: PlainStep): Promise<void> {
  const { machine } = site;
  switch (step.kind) {
    case 'make_user':
      return await makeUser(site);
    case 'make_directory':
      return makeDirectory(site, step);
    case 'place_version':
      return placeVersion(site, step.folder);
    case 'write_starter':
      return writeStarter(site);
    case 'set_variables':
      return changeVariables(machine, step.changes);
    case 'link_command':
      return linkCommand(site);
    case 'stop':
      return must(await machine.run('systemctl', ['stop', SERVICE], { timeoutMs: STOP_WITHIN_MS }));
    case 'back_up':
      return await backUp(site, step.file);
    case 'switch':
      return switchTo(machine, step.folder);
    case 'write_unit':
      return await writeUnit(site, step.folder);
    case 'enable':
      return must(await machine.run('systemctl', [...rootFlag(machine), 'enable', '--quiet', SERVICE]));
    case 'start':
      return await startService(machine);
    case 'drop_versions':
      return dropVersions(machine, step.folders);
    case 'drop_backups':
      return await dropBackups(machine, step.files);
  }
}

/** Its starts so far are forgotten first: what counts is how this one goes. */
export async function startService(machine: Machine): Promise<void> {
  await machine.run('systemctl', ['reset-failed', SERVICE]);
  must(await machine.run('systemctl', ['start', SERVICE]));
}

/** @throws CliError with the program's last words */
export function must({ code, stderr, stdout }: RunResult, fix: string | null = null): void {
  if (code === 0) return;
  const words = (stderr.trim() || stdout.trim()).split('\n').slice(-4).join(' ');
  throw new CliError(exitCodes.failed, words || `a program of the system ended with ${code}`, fix);
}

/** The user that the service runs as. @throws CliError where it is not there */
function serviceAccount(machine: Machine): Account {
  const account = readAccount(machine);
  if (account !== null) return account;
  throw new CliError(exitCodes.failed, `there is no user ${SERVICE_USER}`, 'run the installer again');
}

/** A link that is exchanged in one go: whoever looks finds the one version or the other. */
export function switchTo(machine: Machine, folder: string): void {
  const draft = machine.at(`${PLACES.current}.new`);
  rmSync(draft, { force: true });
  symlinkSync(`versions/${folder}`, draft);
  renameSync(draft, machine.at(PLACES.current));
}

/** The unit as a version brings it. */
export async function writeUnit({ machine, book }: Site, folder: string): Promise<void> {
  const text = readFileSync(join(machine.at(PLACES.versions), folder, 'systemd', SERVICE), 'utf8');
  book.noteMade(PLACES.unit);
  mkdirSync(join(machine.at(PLACES.unit), '..'), { recursive: true });
  writeWhole(machine.at(PLACES.unit), text, 0o644);
  if (machine.root === '/') must(await machine.run('systemctl', ['daemon-reload']));
}

/** As its user: root writes nothing where that user may put links. @param file absolute, in the installed system */
async function backUp({ machine, book }: Site, file: string): Promise<void> {
  const account = serviceAccount(machine);
  const directory = machine.at(PLACES.backups);
  if (!existsSync(directory)) must(await machine.run('mkdir', ['--mode=700', directory], { as: account }));
  const { upgrade } = book.record;
  const folder = upgrade?.to.folder ?? book.record.current?.folder ?? '';
  const args = ['backup', machine.at(file), '--offline', '--force', '--data', machine.at(PLACES.data)];
  const made = await machine.run(programOf(machine, folder), args, {
    as: account,
    timeoutMs: COPY_WITHIN_MS,
  });
  must(made, 'nothing was changed; mend that, and run the installer again');
}

/** Puts a backup back with the program that is to go on with it. @throws CliError */
export async function restore(machine: Machine, folder: string, file: string): Promise<void> {
  const args = ['restore', machine.at(file), '--data', machine.at(PLACES.data)];
  const options = { as: serviceAccount(machine), timeoutMs: COPY_WITHIN_MS };
  must(await machine.run(programOf(machine, folder), args, options));
}

function programOf(machine: Machine, folder: string): string {
  return join(machine.at(PLACES.versions), folder, 'bin/ai-fabric');
}

async function makeUser({ machine, book }: Site): Promise<void> {
  book.noteMade('user');
  const image = machine.root === '/' ? [] : ['--prefix', machine.root];
  const args = ['--system', '--user-group', '--no-create-home', '--home-dir', PLACES.data];
  const shell = ['--shell', '/usr/sbin/nologin', '--comment', 'AI Fabric control plane'];
  must(await machine.run('useradd', [...image, ...args, ...shell, SERVICE_USER]));
}

function makeDirectory(
  { machine, book }: Site,
  { path, mode, ours }: { readonly path: string; readonly mode: number; readonly ours: boolean },
): void {
  book.noteMade(path);
  mkdirSync(machine.at(path), { recursive: true });
  chmodSync(machine.at(path), mode);
  if (ours) machine.give(machine.at(path), serviceAccount(machine));
  book.catchUp();
}

/** Beside the place first, compared there, and then under its name: half a version is never started. */
function placeVersion({ machine, archive }: Site, folder: string): void {
  const place = join(machine.at(PLACES.versions), folder);
  if (existsSync(place) && checkFolder(place).ok) return;
  const draft = join(machine.at(PLACES.versions), `.${folder}.partial`);
  rmSync(draft, { recursive: true, force: true });
  try {
    cpSync(archive, draft, { recursive: true, preserveTimestamps: true });
    const check = checkFolder(draft);
    if (!check.ok) throw damaged(archive, check.problems);
    // Whoever unpacked the archive does not own the program that the service runs.
    machine.giveAll(draft, { uid: 0, gid: 0 });
    rmSync(place, { recursive: true, force: true });
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!isFullDisk(error)) throw error;
    throw new CliError(
      exitCodes.failed,
      `the disk of ${PLACES.program} is full`,
      'make room there; nothing was changed',
    );
  }
}

/** The refusal of an archive that is not what it was. */
export function damaged(archive: string, problems: readonly string[]): CliError {
  const shown = problems.slice(0, 5).join('; ');
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : '';
  const fix = 'fetch the archive again, from where you got it; nothing was changed';
  return new CliError(exitCodes.refused, `${archive} is not what was packed: ${shown}${more}`, fix);
}

function isFullDisk(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

function writeStarter({ machine, book, starter }: Site): void {
  book.noteMade(PLACES.fabricFile);
  book.change({ starterSha256: sha256(starter) });
  writeWhole(machine.at(PLACES.fabricFile), starter, 0o644);
}

/** Root's alone: keys may stand in it. */
export function changeVariables(machine: Machine, changes: Readonly<Record<string, string | null>>): void {
  const file = machine.at(PLACES.variables);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : STARTER_VARIABLES;
  writeWhole(file, setVariables(text, changes), 0o600);
}

function linkCommand({ machine, book }: Site): void {
  book.noteMade(PLACES.command);
  mkdirSync(join(machine.at(PLACES.command), '..'), { recursive: true });
  if (existsSync(machine.at(PLACES.command))) unlinkSync(machine.at(PLACES.command));
  symlinkSync(`${PLACES.current}/bin/ai-fabric`, machine.at(PLACES.command));
}

function dropVersions(machine: Machine, folders: readonly string[]): void {
  for (const folder of folders) {
    rmSync(join(machine.at(PLACES.versions), folder), { recursive: true, force: true });
  }
}

async function dropBackups(machine: Machine, files: readonly string[]): Promise<void> {
  const paths = files.map((file) => machine.at(file));
  must(await machine.run('rm', ['--force', '--', ...paths], { as: serviceAccount(machine) }));
}

function rootFlag({ root }: Machine): string[] {
  return root === '/' ? [] : [`--root=${root}`];
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The fabric.yaml that nobody has edited since it was written here. */
export function isStarter(machine: Machine, { starterSha256 }: InstalledRecord): boolean {
  const file = machine.at(PLACES.fabricFile);
  return existsSync(file) && sha256(readFileSync(file, 'utf8')) === starterSha256;
}
