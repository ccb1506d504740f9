import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { win32 } from 'node:path';
import type { RunTool } from '../../identity/run-tool.js';
import { callTool } from './call-tool.js';
import { findForeignOwner } from './decide/find-foreign-owner.js';
import {
  clearFolderCalls,
  closeFolderCall,
  type FolderUse,
  handDownCalls,
  ownerCall,
  ownFolderCalls,
} from './decide/folder-access.js';
import { type AclVerdict, judgeAcl } from './decide/judge-acl.js';
import { parseUserSid } from './decide/judge-elevation.js';
import type { WindowsPaths } from './decide/windows-paths.js';

export interface ProtectOptions {
  readonly paths: WindowsPaths;
  /** Where a path of Windows is on the machine that works: there itself, but in tests. */
  readonly locate: (path: string) => string;
  readonly runTool: RunTool;
}

/**
 * Makes a folder whose owner is the administrators. Anybody may make folders in `%ProgramData%`: whoever made this one is
 * given no part in it. What is in a private one of ours goes with it; in a readable one others may have folders of their own,
 * which stay as they are.
 *
 * A folder that was closed before is open to nobody meanwhile: a host's key lies in it.
 *
 * @returns what more is to be told
 * @throws Error where others may still use it, and where a private one is not an administrator's, or has a link in it
 */
export async function protectFolder(
  options: ProtectOptions,
  path: string,
  use: FolderUse,
): Promise<string | null> {
  const { paths, locate, runTool } = options;
  await mkdir(locate(path), { recursive: true });
  await refuseLink(locate(path), path);
  if (use === 'private') await refuseForeign(options, path);
  const [setOwner, takeOwnership] = ownFolderCalls(paths, path);
  await callTool(runTool, setOwner).catch(() => callTool(runTool, takeOwnership));
  await callTool(runTool, closeFolderCall(paths, path, use));
  // From here on nobody else puts anything into it, or in its place; until here somebody may have.
  await refuseLink(locate(path), path);
  const hasContent = use === 'private' && (await countContent(locate(path), path)) > 0;
  let verdict = await readVerdict(options, path, use);
  if (verdict === 'others_too') {
    for (const each of clearFolderCalls(paths, path, hasContent)) await callTool(runTool, each);
    await callTool(runTool, closeFolderCall(paths, path, use));
    verdict = await readVerdict(options, path, use);
  }
  if (verdict === 'others_too') {
    throw new Error(`others may still use ${path}: see who with "icacls "${path}"", and take it from them`);
  }
  // Of an empty folder there is nothing that `*` stands for, which is an error.
  if (hasContent) for (const each of handDownCalls(paths, path)) await callTool(runTool, each);
  return verdict === 'unknown' ? 'what its ACL came to, this system does not tell' : null;
}

/** What lies in it would be taken for ours: a key that somebody else has, too, or their settings for what runs as SYSTEM. */
async function refuseForeign({ paths, runTool }: ProtectOptions, path: string): Promise<void> {
  const told = await callTool(runTool, ownerCall(paths, path)).catch(() => '');
  const user = await callTool(runTool, [paths.tool('whoami'), ['/user']]).catch(() => '');
  const owner = findForeignOwner(told, parseUserSid(user));
  if (owner === null) return;
  throw new Error(
    `${path} is ${owner}'s, who is no administrator: a key or settings in it may be theirs. See what is in it, and remove it`,
  );
}

/** @throws Error for a link: what is handed down would go through it, to somebody else's files */
async function countContent(folder: string, path: string): Promise<number> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const link = found.find((entry) => entry.isSymbolicLink());
  if (link === undefined) return found.length;
  throw new Error(`${link.name} is a link, which no agent makes in ${path}: see who made it, and remove it`);
}

async function refuseLink(folder: string, path: string): Promise<void> {
  if ((await lstat(folder)).isSymbolicLink()) throw new Error(`${path} is a link to another folder`);
}

async function readVerdict(
  { paths, locate, runTool }: ProtectOptions,
  path: string,
  use: FolderUse,
): Promise<AclVerdict> {
  // Nobody has put a link in the place of a name that cannot be guessed.
  const savedFile = win32.join(path, `acl-${randomUUID()}.saved`);
  await callTool(runTool, [paths.tool('icacls'), [path, '/save', savedFile, '/Q']]);
  const saved = await readFile(locate(savedFile), 'utf16le').catch(() => '');
  await rm(locate(savedFile), { force: true });
  return judgeAcl(saved, use);
}
