/** The system, the administrators, and what installs Windows' own files. */
const OURS: ReadonlySet<string> = new Set([
  'S-1-5-18',
  'S-1-5-32-544',
  'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464',
]);

/**
 * Whose a folder is that no administrator made; `null`: there is no such owner, or nobody told.
 *
 * @param told the SID of its owner, by PowerShell
 * @param userSid of whoever installs, who is an administrator: what they make may be theirs by name
 */
export function findForeignOwner(told: string, userSid: string | null): string | null {
  const owner = /^\s*(S-1-[\d-]+)\s*$/.exec(told)?.[1];
  return owner === undefined || OURS.has(owner) || owner === userSid ? null : owner;
}
