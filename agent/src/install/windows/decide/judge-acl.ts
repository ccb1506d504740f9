/** The system and the administrators, as SDDL writes them. */
const OURS: ReadonlySet<string> = new Set(['SY', 'BA', 'S-1-5-18', 'S-1-5-32-544']);

/** `unknown`: nothing was told, as by a disk without ACLs. */
export type AclVerdict = 'ours_alone' | 'others_too' | 'unknown';

/**
 * Who may use a folder, by its SDDL, which is alike in every language: `D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)`.
 *
 * @param saved what `icacls FOLDER /save FILE` wrote
 */
export function judgeAcl(saved: string): AclVerdict {
  const list = /D:([A-Z]*)((?:\([^)]*\))*)/.exec(saved);
  if (list === null) return 'unknown';
  const [, flags = '', entries = ''] = list;
  const trustees = [...entries.matchAll(/\(([^)]*)\)/g)].map(([, entry = '']) => entry.split(';')[5] ?? '');
  const isProtected = flags.includes('P') && !flags.startsWith('NO_');
  const isOurs = trustees.length > 0 && trustees.every((trustee) => OURS.has(trustee));
  return isProtected && isOurs ? 'ours_alone' : 'others_too';
}
