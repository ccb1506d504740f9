import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RunTool } from '../../identity/run-tool.js';
import type { FolderUse } from './decide/folder-access.js';
import { windowsPaths } from './decide/windows-paths.js';
import { protectFolder } from './protect-folder.js';

const paths = windowsPaths({
  windows: 'C:\\Windows',
  programFiles: 'C:\\Program Files',
  programData: 'C:\\ProgramData',
  localAppData: null,
});
const DATA = paths.dataFolder;
const OURS = '\uFEFFagent\r\nD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)\r\n';
const NAMED = '\uFEFFagent\r\nD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-5-21-1-2-3-1001)\r\n';
const CLOSE = '/inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F';

let root: string;
let calls: string[];
/** What the ACL is each time that it is asked for; the last stays. */
let acls: string[];
/** A call that holds this fails. */
let fails: string | null;
/** What PowerShell prints. */
let owner: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'protect-'));
  calls = [];
  acls = [OURS];
  fails = null;
  owner = 'S-1-5-32-544\r\n';
});
afterEach(() => rm(root, { recursive: true, force: true }));

const locate = (path: string): string => join(root, ...path.replace(/^C:/, '').split('\\'));
const runTool: RunTool = async (file, args) => {
  calls.push([file.split('\\').at(-1), ...args].join(' '));
  if (fails !== null && calls.at(-1)?.includes(fails)) throw new Error('Access is denied.');
  if (file.endsWith('powershell.exe')) return owner;
  if (file.endsWith('whoami.exe')) return 'motoko\\zoë S-1-5-21-1-2-3-1001\r\n';
  if (args[1] !== '/save') return '';
  const acl = (acls.length > 1 ? acls.shift() : acls[0]) ?? '';
  if (acl !== '') await writeFile(locate(args[2] ?? ''), Buffer.from(acl, 'utf16le'));
  return '';
};
const protect = (path: string, use: FolderUse): Promise<string | null> =>
  protectFolder({ paths, locate, runTool }, path, use);
const put = async (path: string): Promise<void> => {
  await mkdir(dirname(locate(path)), { recursive: true });
  await writeFile(locate(path), '');
};
/** What was called, but for looks. */
const changes = (): string[] => calls.filter((call) => !/\/save|^powershell|^whoami/.test(call));

it('takes a folder from whoever made it, closes it, and hands that down', async () => {
  await put(paths.keyFile);
  expect(await protect(DATA, 'private')).toBeNull();
  expect(changes()).toEqual([
    `icacls.exe ${DATA} /setowner *S-1-5-32-544 /L /Q`,
    `icacls.exe ${DATA} ${CLOSE} /L /Q`,
    `icacls.exe ${DATA}\\* /setowner *S-1-5-32-544 /T /C /L /Q`,
    `icacls.exe ${DATA}\\* /reset /T /C /L /Q`,
  ]);
  expect(await readdir(locate(DATA))).toEqual(['host-key.pem']);
});

it('never opens one with a key in it to those who may read the folder above', async () => {
  await put(paths.keyFile);
  acls = [NAMED, OURS];
  await protect(DATA, 'private');
  const made = changes();
  const cutOff = made.indexOf(`icacls.exe ${DATA}\\* /inheritance:d /C /L /Q`);
  expect(made[cutOff + 1]).toBe(`icacls.exe ${DATA} /reset /L /Q`);
  expect(made[cutOff + 2]).toBe(`icacls.exe ${DATA} ${CLOSE} /L /Q`);
  expect(made.at(-1)).toBe(`icacls.exe ${DATA}\\* /reset /T /C /L /Q`);
  expect(made.filter((call) => call.includes('/reset'))).toHaveLength(2);
});

it('asks nothing of what is in an empty one, which is an error to icacls', async () => {
  await protect(DATA, 'private');
  expect(changes().filter((call) => call.includes('\\*'))).toEqual([]);
});

it('takes by force what its ACL keeps administrators out of', async () => {
  fails = '/setowner';
  await protect(DATA, 'private');
  expect(changes()[1]).toBe(`takeown.exe /F ${DATA} /A`);
});

it('leaves alone what others have in a readable one', async () => {
  await put(`${paths.vendorFolder}\\other\\settings.yaml`);
  await symlink('/tmp', locate(`${paths.vendorFolder}\\other\\link`));
  acls = [NAMED, OURS];
  await protect(paths.vendorFolder, 'readable');
  expect(changes()).toEqual([
    `icacls.exe ${paths.vendorFolder} /setowner *S-1-5-32-544 /L /Q`,
    `icacls.exe ${paths.vendorFolder} ${CLOSE} *S-1-5-32-545:(OI)(CI)RX /L /Q`,
    `icacls.exe ${paths.vendorFolder} /reset /L /Q`,
    `icacls.exe ${paths.vendorFolder} ${CLOSE} *S-1-5-32-545:(OI)(CI)RX /L /Q`,
  ]);
});

it('does not take over a private one of somebody else, whose key may be in it', async () => {
  owner = 'S-1-5-21-1-2-3-1002\r\n';
  await put(paths.keyFile);
  await expect(protect(DATA, 'private')).rejects.toThrow(/is S-1-5-21-1-2-3-1002's, who is no administrator/);
  expect(changes()).toEqual([]);
  await protect(paths.vendorFolder, 'readable');
});

it.each(['S-1-5-18\r\n', 'S-1-5-21-1-2-3-1001\r\n', ''])('goes on with a folder of %j', async (told) => {
  owner = told;
  expect(await protect(DATA, 'private')).toBeNull();
});

it.each(['state\\x', 'agent.yaml'])('hands nothing down through a link, %s', async (name) => {
  await put(paths.keyFile);
  await mkdir(dirname(locate(`${DATA}\\${name}`)), { recursive: true });
  await symlink('/tmp', locate(`${DATA}\\${name}`));
  await expect(protect(DATA, 'private')).rejects.toThrow(/is a link, which no agent makes/);
  expect(changes().filter((call) => call.includes('\\*'))).toEqual([]);
});

it('sees a link in the place of the folder itself, and does nothing to it', async () => {
  const elsewhere = join(root, 'elsewhere');
  await mkdir(elsewhere);
  await mkdir(locate(paths.vendorFolder), { recursive: true });
  await symlink(elsewhere, locate(DATA));
  await expect(protect(DATA, 'private')).rejects.toThrow(/is a link to another folder/);
  expect(calls).toEqual([]);
});

it('sees one that came there while the folder was closed', async () => {
  const elsewhere = join(root, 'elsewhere');
  await mkdir(elsewhere);
  const swapping: RunTool = async (file, args) => {
    if (args.includes('/setowner')) {
      await rm(locate(paths.vendorFolder), { recursive: true });
      await symlink(elsewhere, locate(paths.vendorFolder));
    }
    return runTool(file, args);
  };
  const options = { paths, locate, runTool: swapping };
  await expect(protectFolder(options, paths.vendorFolder, 'readable')).rejects.toThrow(/is a link/);
  expect(await readdir(elsewhere)).toEqual([]);
});

it('does not go on where others still may', async () => {
  acls = [NAMED];
  await expect(protect(DATA, 'private')).rejects.toThrow(/others may still use/);
});

it('says so where the system does not tell', async () => {
  acls = [''];
  expect(await protect(DATA, 'private')).toMatch(/does not tell/);
});
