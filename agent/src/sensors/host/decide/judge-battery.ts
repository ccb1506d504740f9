/** One entry of /sys/class/power_supply. */
export interface PowerSupply {
  readonly type: string;
  /** `Device`: of a mouse or a headset. */
  readonly scope: string;
  readonly status: string;
  /** `1`: it feeds the machine. */
  readonly online: string;
}

/** Does the machine run on its battery? One without any does not. */
export function judgeBattery(supplies: readonly PowerSupply[]): boolean {
  const batteries = supplies.filter(({ type, scope }) => type === 'Battery' && scope !== 'Device');
  if (batteries.length === 0) return false;
  const isFed = supplies.some(({ type, online }) => type !== 'Battery' && online === '1');
  return !isFed && batteries.some(({ status }) => status === 'Discharging');
}
