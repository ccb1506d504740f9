/** Well-known accounts by SID, whatever the language of the system. */
const SYSTEM = '*S-1-5-18';
const ADMINISTRATORS = '*S-1-5-32-544';

/** What gives an account a directory and, by inheritance, all in it: `icacls DIRECTORY /grant:r …`. */
export function aclGrant(account: string): string {
  return `${account}:(OI)(CI)F`;
}

/**
 * Arguments of Windows' `icacls` that leave a directory to the system, the administrators and `accounts`. Files in it
 * inherit that, so that none is ever there without it.
 */
export function privateAclArguments(directory: string, accounts: readonly string[] = []): string[] {
  return [
    directory,
    '/inheritance:r',
    '/grant:r',
    ...[SYSTEM, ADMINISTRATORS, ...accounts].map((account) => aclGrant(account)),
  ];
}

/** Services have a short PATH, so that tools are named in full. */
export function icaclsPath(windowsDirectory: string): string {
  return `${windowsDirectory}\\System32\\icacls.exe`;
}
