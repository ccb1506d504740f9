/**
 * Whether what Windows' user calls a shutdown is one with Fast Startup: the kernel is hibernated instead of ended, and network
 * cards are left unarmed. It takes hibernation; a `1` in `HiberbootEnabled` without it does nothing.
 *
 * @param hiberbootEnabled of the registry; `null`: it could not be read
 * @param hibernateEnabled of the registry; `null`: it could not be read
 * @returns `null`: it cannot be told
 */
export function judgeFastStartup(
  hiberbootEnabled: number | null,
  hibernateEnabled: number | null,
): boolean | null {
  if (hiberbootEnabled === 0 || hibernateEnabled === 0) return false;
  return hiberbootEnabled === null || hibernateEnabled === null ? null : true;
}
