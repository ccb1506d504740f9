import { chmod, chown, mkdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { loadHostKey } from '../../identity/host-key.js';
import { privateFiles } from '../../identity/private-files.js';
import type { RunTool } from '../../identity/run-tool.js';
import { OUR_LABELS } from '../decide/tell-engine-leftovers.js';
import type { InstallRequest } from '../install-steps.js';
import { joinWithNewKey, makeNewKey } from '../new-key.js';
import { copyWhole, writeWhole } from '../whole-files.js';
import {
  ACCOUNT,
  CONFIG_FOLDER,
  ENGINE_DROP_IN,
  KEY_FILE,
  PROGRAM_NAME,
  SERVICE,
  STATE_FOLDER,
} from './decide/linux-paths.js';
import type { LinuxStep, LinuxStepOf } from './decide/linux-steps.js';
import { chooseSubordinateIds } from './decide/subordinate-ids.js';
import { rootlessDropIn } from './decide/write-units.js';
import { handOver, type Ids } from './hand-over.js';
import { removeMade } from './remove-made.js';

export interface CarryOutOptions {
  /** What stands before all paths: empty, but in tests. */
  readonly root: string;
  readonly runTool: RunTool;
  /** Shows the token to the control plane, with the new key where one was made, and keeps what it says in the state folder. */
  readonly join: (server: string, request: InstallRequest, force: boolean) => Promise<string>;
}

type Executors = {
  readonly [Kind in LinuxStep['kind']]: (step: LinuxStepOf<Kind>) => Promise<string | null>;
};

/** Where a `join` without an install keeps the key. */
const EARLIER_KEY_FILE = `${STATE_FOLDER}/${basename(KEY_FILE)}`;
const SUBORDINATE_IDS = [
  ['/etc/subuid', '--add-subuids'],
  ['/etc/subgid', '--add-subgids'],
] as const;

/** Carries out a step of an install. @returns what more is to be told @throws Error */
export async function carryOutStep(
  options: CarryOutOptions,
  step: LinuxStep,
  request: InstallRequest,
): Promise<string | null> {
  const execute = executors(options, request)[step.kind] as (step: LinuxStep) => Promise<string | null>;
  // The agent's user has to get at its program, whatever whoever installs keeps to themselves: agent.sh does.
  const before = process.umask(0o022);
  try {
    return await execute(step);
  } finally {
    process.umask(before);
  }
}

function executors({ root, runTool, join: joinFabric }: CarryOutOptions, request: InstallRequest): Executors {
  const at = (path: string): string => join(root, path);
  const run = async (file: string, ...args: string[]): Promise<null> => {
    await runTool(file, args);
    return null;
  };
  return {
    make_folder: (step) => makeFolder(at(step.path), step, runTool),
    make_account: (step) => makeAccount(step, runTool),
    write_file: async ({ path, text, mode, group }) => {
      await writeWhole(at(path), text, mode);
      if (group !== null) await chown(at(path), -1, await idOf(runTool, group, '-g'));
      return null;
    },
    remove_file: async ({ path }) => {
      const isThere = await stat(at(path)).catch(() => null);
      if (isThere !== null) await removeMade({ kind: 'file', what: path, kept: false }, root, runTool);
      return null;
    },
    place_program: (step) => placeProgram({ ...step, folder: at(step.folder) }),
    link: ({ path, target, optional }) => makeLink(at(path), target, optional),
    store_key: ({ anew }) => storeKey(at, anew),
    join: async ({ server, rejoin }) => {
      const join_ = (): Promise<string> => joinFabric(server, request, rejoin);
      const said = request.newIdentity ? await joinWithNewKey(at(CONFIG_FOLDER), join_) : await join_();
      // An earlier `join` kept it there.
      if (request.newIdentity) await rm(at(EARLIER_KEY_FILE), { force: true });
      await giveState(root, runTool);
      return said;
    },
    join_group: ({ account, group }) => run('usermod', '--append', '--groups', group, account),
    leave_group: async ({ account, group }) => {
      const groups = await runTool('id', ['-nG', account]).catch(() => '');
      if (groups.trim().split(/\s+/).includes(group)) await runTool('gpasswd', ['--delete', account, group]);
      return null;
    },
    open_rootless_podman: ({ account }) => openRootlessPodman(account, at, runTool),
    end_containers: () => endContainers(runTool),
    end_rootless_podman: async ({ account }) => {
      await removeMade({ kind: 'lingering', what: account, kept: false }, root, runTool);
      return null;
    },
    reload_systemd: () => run('systemctl', 'daemon-reload'),
    restart_socket: async ({ unit }) => {
      await runTool('systemctl', ['enable', unit]);
      // A socket whose service answers just now cannot be started.
      await runTool('systemctl', ['stop', unit.replace(/\.socket$/, '.service')]).catch(() => undefined);
      return run('systemctl', 'restart', unit);
    },
    stop_service: async () => {
      await runTool('systemctl', ['stop', SERVICE]).catch(() => undefined);
      return null;
    },
    start_service: async () => {
      await giveState(root, runTool);
      await runTool('systemctl', ['enable', SERVICE]);
      return run('systemctl', 'restart', SERVICE);
    },
  };
}

async function makeFolder(
  path: string,
  { mode, owner }: LinuxStepOf<'make_folder'>,
  runTool: RunTool,
): Promise<null> {
  await mkdir(path, { recursive: true, mode });
  await chmod(path, mode);
  if (owner !== null) await chown(path, await idOf(runTool, owner, '-u'), await idOf(runTool, owner, '-g'));
  return null;
}

async function makeAccount(
  { account, home }: LinuxStepOf<'make_account'>,
  runTool: RunTool,
): Promise<string | null> {
  const isThere = await runTool('id', ['-u', account]).then(
    () => true,
    () => false,
  );
  if (isThere) return 'it is there already';
  const shell = '/usr/sbin/nologin';
  await runTool('useradd', [
    ...['--system', '--user-group', '--no-create-home', '--home-dir', home, '--shell', shell],
    ...['--comment', 'AI Fabric agent', account],
  ]);
  return null;
}

/** A program that is cut off in its copying must not look like one: it gets its name when it is whole. */
async function placeProgram({ from, beside, folder }: LinuxStepOf<'place_program'>): Promise<string | null> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const [file, name, mode] of [
    ...beside.map((path) => [path, basename(path), 0o644] as const),
    [from, PROGRAM_NAME, 0o755] as const,
  ]) {
    const target = join(folder, name);
    if (file === target) continue;
    await copyWhole(file, target, mode);
  }
  return null;
}

/** By rename, so that there is one at every moment. */
async function makeLink(path: string, target: string, optional: boolean): Promise<string | null> {
  const beside = `${path}.new`;
  try {
    if ((await readlink(path).catch(() => null)) === target) return null;
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await rm(beside, { force: true });
    await symlink(target, beside);
    await rename(beside, path);
    return null;
  } catch (error) {
    if (!optional) throw error;
    return `left out: ${path} cannot be made (${codeOf(error)}). The program is ${target}.`;
  }
}

async function storeKey(at: (path: string) => string, anew: boolean): Promise<string | null> {
  const files = privateFiles({ platform: 'linux', windowsDirectory: '' });
  const earlier = at(EARLIER_KEY_FILE);
  if (anew) {
    await makeNewKey(at(CONFIG_FOLDER), files);
    return null;
  }
  if ((await files.read(at(KEY_FILE))) === null) {
    const pem = await files.read(earlier);
    if (pem !== null) {
      await files.write(at(KEY_FILE), pem);
      await rm(earlier);
      return 'the one of an earlier join was taken over';
    }
  }
  await loadHostKey(at(CONFIG_FOLDER), files);
  return null;
}

async function openRootlessPodman(
  account: string,
  at: (path: string) => string,
  runTool: RunTool,
): Promise<null> {
  for (const [file, option] of SUBORDINATE_IDS) {
    const ids = chooseSubordinateIds(await readFile(at(file), 'utf8').catch(() => ''), account);
    if (ids !== null) await runTool('usermod', [option, ids, account]);
  }
  await runTool('loginctl', ['enable-linger', account]);
  await runTool('systemctl', ['--user', `--machine=${account}@.host`, 'enable', '--now', 'podman.socket']);
  await writeWhole(at(ENGINE_DROP_IN), rootlessDropIn(await idOf(runTool, account, '-u')), 0o644);
  return null;
}

/** An engine that is not there, or does not answer, has none that runs. */
async function endContainers(runTool: RunTool): Promise<null> {
  for (const tool of ['podman', 'docker']) {
    // Two filters of one call would both have to hold.
    const lists = await Promise.all(
      OUR_LABELS.map((label) =>
        runTool(tool, ['ps', '--quiet', '--filter', `label=${label}`]).catch(() => ''),
      ),
    );
    const ids = lists.flatMap((list) => list.split('\n').filter((id) => id !== ''));
    if (ids.length > 0) await runTool(tool, ['stop', '-t', '20', ...ids]);
  }
  return null;
}

/** What a `join` or an install wrote as root has to be the agent's. */
export async function giveState(root: string, runTool: RunTool): Promise<void> {
  await handOver(join(root, STATE_FOLDER), await idsOf(runTool));
}

async function idsOf(runTool: RunTool): Promise<Ids> {
  return { uid: await idOf(runTool, ACCOUNT, '-u'), gid: await idOf(runTool, ACCOUNT, '-g') };
}

async function idOf(runTool: RunTool, account: string, which: '-u' | '-g'): Promise<number> {
  const id = Number((await runTool('id', [which, account])).trim());
  if (Number.isInteger(id) && id > 0) return id;
  throw new Error(`the account ${account} has no number`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
