/**
 * A value of `reg query KEY /v NAME`: `    HiberbootEnabled    REG_DWORD    0x1`, or digits in a text, as `AutoAdminLogon` has them.
 *
 * @returns `null`: there is none
 */
export function parseRegistryNumber(text: string, name: string): number | null {
  for (const line of text.split(/\r?\n/)) {
    const [found, type, value] = line.trim().split(/\s+/);
    if (found?.toLowerCase() !== name.toLowerCase()) continue;
    if (type === 'REG_SZ') return /^\d{1,9}$/.test(value ?? '') ? Number(value) : null;
    if (type !== 'REG_DWORD') continue;
    return /^0x[0-9a-f]{1,8}$/i.test(value ?? '') ? Number.parseInt(value as string, 16) : null;
  }
  return null;
}
