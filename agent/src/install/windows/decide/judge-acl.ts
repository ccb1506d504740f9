import type { FolderUse } from './folder-access.js';

/** The system and the administrators, as SDDL writes them. */
const OURS: ReadonlySet<string> = new Set(['SY', 'BA', 'S-1-5-18', 'S-1-5-32-544']);
/** FILE_GENERIC_READ and FILE_GENERIC_EXECUTE. */
const READ_AND_EXECUTE = 0x1200a9;
/** The same by letters: of a file, and generic. */
const READING: ReadonlySet<string> = new Set(['FR', 'FX', 'GR', 'GX']);

/** `unknown`: nothing was told, as by a disk without ACLs. */
export type AclVerdict = 'ours' | 'others_too' | 'unknown';

/**
 * Whether a folder is left to the system and the administrators, but for what its use lets others do. By its SDDL, which
 * is alike in every language: `D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)`.
 *
 * @param saved what `icacls FOLDER /save FILE` wrote
 */
export function judgeAcl(saved: string, use: FolderUse): AclVerdict {
  const list = /D:([A-Z]*)((?:\([^)]*\))*)/.exec(saved);
  if (list === null) return 'unknown';
  const [, flags = '', entries = ''] = list;
  const found = [...entries.matchAll(/\(([^)]*)\)/g)].map(([, entry = '']) => entry.split(';'));
  const isProtected = flags.includes('P') && !flags.startsWith('NO_');
  const isOurs =
    found.length > 0 &&
    found.every(([type, , rights = '', , , trustee = '']) =>
      OURS.has(trustee) ? true : use === 'readable' && type === 'A' && readsAlone(rights),
    );
  return isProtected && isOurs ? 'ours' : 'others_too';
}

function readsAlone(rights: string): boolean {
  if (/^0x[0-9a-f]+$/i.test(rights)) return (Number(rights) & ~READ_AND_EXECUTE) === 0;
  return (rights.match(/../g) ?? ['']).every((letters) => READING.has(letters));
}
