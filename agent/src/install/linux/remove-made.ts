import { readdir, readlink, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunTool } from '../../identity/run-tool.js';
import { HELPER_ANSWERS } from '../../root-helper/helper-verbs.js';
import type { Made } from '../install-steps.js';
import {
  CONFIG_FOLDER,
  PODMAN_DROP_IN,
  PODMAN_SOCKET,
  PROGRAM_FOLDER,
  STATE_FOLDER,
  UNIT_FOLDER,
} from './decide/linux-paths.js';

/** The only folders that are removed with all that is in them, whatever a record says. */
const OWN_TREES: readonly string[] = [PROGRAM_FOLDER, CONFIG_FOLDER, STATE_FOLDER, HELPER_ANSWERS];

/** What is ours in the folder that its owner may put something into: an install makes it, or replaces it by way of these. */
const OWN_SETTINGS = /^(?:(?:agent\.yaml|host-key\.pem|installed\.json)(?:\.new)?|new-identity)$/;

/**
 * Takes away what an install made; what is gone already is no error.
 *
 * @param root before all paths, in tests
 * @returns what somebody else put into the settings: it stays
 * @throws Error
 */
export async function removeMade(made: Made, root: string, runTool: RunTool): Promise<readonly string[]> {
  const path = join(root, made.what);
  const foreign = made.what === CONFIG_FOLDER ? await findForeign(path) : [];
  if (foreign.length === 0) {
    await removeAll(made, path, runTool);
    return [];
  }
  for (const name of await readdir(path)) {
    if (!foreign.includes(name)) await rm(join(path, name), { recursive: true, force: true });
  }
  return foreign.map((name) => join(made.what, name));
}

async function findForeign(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => !OWN_SETTINGS.test(name));
}

async function removeAll({ kind, what }: Made, path: string, runTool: RunTool): Promise<void> {
  switch (kind) {
    case 'service':
      await tolerate(
        /not loaded|does not exist|No such file/i,
        runTool('systemctl', ['disable', '--now', what]),
      );
      return;
    case 'file':
      return removeFile(what, path, runTool);
    case 'link':
      if ((await readlink(path).catch(() => null))?.startsWith(PROGRAM_FOLDER))
        await rm(path, { force: true });
      return;
    case 'folder':
      // Somebody put something there meanwhile: it stays theirs.
      await rmdir(path).catch(() => undefined);
      return;
    case 'tree':
      if (!OWN_TREES.includes(what)) throw new Error(`${what} is no folder of an agent`);
      await refuseLink(path);
      await rm(path, { recursive: true, force: true });
      return;
    case 'account':
      await tolerate(/does not exist/i, runTool('userdel', [what]));
      return;
    case 'membership': {
      const [account = '', group = ''] = what.split(':');
      await tolerate(
        /not a member|does not exist|unknown/i,
        runTool('gpasswd', ['--delete', account, group]),
      );
      return;
    }
    case 'lingering':
      await tolerate(
        /no such user|unknown user|does not exist/i,
        runTool('loginctl', ['disable-linger', what]),
      );
      await endServicesOf(what, runTool);
      return;
    case 'task':
    case 'registry':
      throw new Error(`there is no ${kind} on Linux`);
    default:
      return kind satisfies never;
  }
}

/** Its removal would be that of the link alone, with all of ours still there. @throws Error */
async function refuseLink(path: string): Promise<void> {
  const target = await readlink(path).catch(() => null);
  if (target === null) return;
  throw new Error(`it is a link to ${target}, where all of it still is: remove both by hand`);
}

/** An account cannot be deleted, nor its folder be emptied, while a container of it takes its time to end. */
async function endServicesOf(account: string, runTool: RunTool): Promise<void> {
  const uid = await runTool('id', ['-u', account]).then(Number, () => null);
  await runTool('loginctl', ['terminate-user', account]).catch(() => undefined);
  if (uid === null) return;
  // That one tells systemd to stop them, and this one waits until they have.
  await runTool('systemctl', ['stop', `user@${uid}.service`, `user-runtime-dir@${uid}.service`]);
}

async function removeFile(what: string, path: string, runTool: RunTool): Promise<void> {
  await rm(path, { force: true });
  if (!what.startsWith(`${UNIT_FOLDER}/`)) return;
  await runTool('systemctl', ['daemon-reload']);
  if (what !== PODMAN_DROP_IN) return;
  // Its service is stopped for it to have its own group again; containers run on.
  await runTool('systemctl', ['stop', 'podman.service']).catch(() => undefined);
  await runTool('systemctl', ['try-restart', PODMAN_SOCKET]).catch(() => undefined);
  await runTool('chgrp', ['root', '/run/podman']).catch(() => undefined);
  await runTool('chmod', ['0700', '/run/podman']).catch(() => undefined);
}

async function tolerate(words: RegExp, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!words.test(String(error))) throw error;
  }
}
