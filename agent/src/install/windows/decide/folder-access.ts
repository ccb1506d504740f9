import { privateAclArguments } from '@ai-fabric/shared';
import type { ToolCall } from './service-arguments.js';
import type { WindowsPaths } from './windows-paths.js';

/** What others than the system and the administrators may do with a folder: nothing, or read what is in it. */
export type FolderUse = 'private' | 'readable';

const ADMINISTRATORS = '*S-1-5-32-544';
const USERS = '*S-1-5-32-545';

type Tools = Pick<WindowsPaths, 'tool'>;

/** Tells who owns a folder, by its SID, which only PowerShell tells alike in every language. */
export function ownerCall({ tool }: Tools, folder: string): ToolCall {
  const path = folder.replaceAll("'", "''");
  const script = `(Get-Acl -LiteralPath '${path}').GetOwner([Security.Principal.SecurityIdentifier]).Value`;
  const flags = ['-NoProfile', '-NonInteractive', '-Command'];
  return [tool('WindowsPowerShell\\v1.0\\powershell'), [...flags, script]];
}

/*
 * Each has /L: whoever could put a link in the place of a folder until now is not to lead these calls through it.
 */

/** Makes a folder the administrators'. The second is for where its ACL keeps them out, which the first does not overcome. */
export function ownFolderCalls({ tool }: Tools, folder: string): readonly [ToolCall, ToolCall] {
  return [
    [tool('icacls'), [folder, '/setowner', ADMINISTRATORS, '/L', '/Q']],
    [tool('takeown'), ['/F', folder, '/A']],
  ];
}

/** Takes a folder from all that inherit it from the one above; who was given it by name keeps it. */
export function closeFolderCall({ tool }: Tools, folder: string, use: FolderUse): ToolCall {
  const readers = use === 'readable' ? [`${USERS}:(OI)(CI)RX`] : [];
  return [tool('icacls'), [...privateAclArguments(folder), ...readers, '/L', '/Q']];
}

/**
 * Takes it from those, too. It is then as open as the one above until it is closed again; what lies in it need not be,
 * and is cut off first.
 */
export function clearFolderCalls({ tool }: Tools, folder: string, hasContent: boolean): readonly ToolCall[] {
  const cutOff: ToolCall = [tool('icacls'), [`${folder}\\*`, '/inheritance:d', '/C', '/L', '/Q']];
  return [...(hasContent ? [cutOff] : []), [tool('icacls'), [folder, '/reset', '/L', '/Q']]];
}

/** Leaves what lies in a folder, at any depth, to whom the folder is left: it has to be closed by then. */
export function handDownCalls({ tool }: Tools, folder: string): readonly ToolCall[] {
  const all = ['/T', '/C', '/L', '/Q'];
  return [
    [tool('icacls'), [`${folder}\\*`, '/setowner', ADMINISTRATORS, ...all]],
    [tool('icacls'), [`${folder}\\*`, '/reset', ...all]],
  ];
}
