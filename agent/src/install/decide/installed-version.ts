import type { InstallRecord } from '../install-record.js';

/** The version that is here; `null`: none is. What an uninstall leaves, and a first join that failed, is the owner's alone. */
export function installedVersion(record: InstallRecord | null): string | null {
  return record?.made.some(({ kept }) => !kept) ? record.version : null;
}
