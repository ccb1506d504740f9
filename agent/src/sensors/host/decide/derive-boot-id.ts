/** What identifies a boot where the system has no name for it. */
export interface BootRecord {
  readonly bootId: string;
  /** By the wall clock at the time of reading. */
  readonly bootedAtMs: number;
  /** How long the system was up when this was last written. */
  readonly uptimeSeconds: number;
}

/**
 * A clock that is set by up to this much does not make a new boot. Short on purpose: two boots taken for one could
 * let a power command of the earlier one through, one boot taken for two voids at most a command.
 */
const TOLERANCE_MS = 60_000;

/**
 * The identity of this boot from when it began. The wall clock may have been corrected since: a boot
 * whose time moved by no more than a minute, and whose uptime did not fall, is still the one that was remembered. A
 * shorter uptime is always another boot.
 */
export function deriveBootId(
  remembered: BootRecord | null,
  nowMs: number,
  uptimeSeconds: number,
): BootRecord {
  const bootedAtMs = Math.round(nowMs - uptimeSeconds * 1000);
  const same =
    remembered !== null &&
    uptimeSeconds >= remembered.uptimeSeconds &&
    Math.abs(bootedAtMs - remembered.bootedAtMs) <= TOLERANCE_MS;
  if (same) return { ...remembered, uptimeSeconds };
  return { bootId: `booted-${new Date(bootedAtMs).toISOString()}`, bootedAtMs, uptimeSeconds };
}
