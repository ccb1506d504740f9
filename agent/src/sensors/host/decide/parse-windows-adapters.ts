import type { WakeArming } from '@ai-fabric/shared';

/** What our PowerShell line says of adapters and batteries, and `powercfg` of devices that may wake the machine. */
export interface WindowsWakeFacts {
  /** By the name of the connection, as in "Ethernet 2". */
  readonly arming: ReadonlyMap<string, WakeArming>;
  /** `null`: it did not say. */
  readonly onBattery: boolean | null;
}

/** Win32_Battery's BatteryStatus of one that is being emptied. */
const DISCHARGING = new Set(['1', '4', '5']);

/**
 * One line each, with tabs: `adapter NAME DESCRIPTION WAKE_ON_MAGIC_PACKET`, `battery STATUS`, and `end` at the end.
 *
 * @param armedDevices what `powercfg /devicequery wake_armed` prints: a description per line
 */
export function parseWindowsAdapters(text: string, armedDevices: string): WindowsWakeFacts {
  const armed = new Set(
    armedDevices
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  );
  const lines = text.split(/\r?\n/).map((line) => line.split('\t'));
  const arming = new Map<string, WakeArming>();
  for (const [kind, name, description, magic] of lines) {
    if (kind !== 'adapter' || name === undefined || description === undefined) continue;
    arming.set(name, judgeAdapter(description, (magic ?? '').trim(), armed));
  }
  const isWhole = lines.some(([kind]) => kind?.trim() === 'end');
  const batteries = lines.filter(([kind]) => kind === 'battery').map(([, status]) => status?.trim() ?? '');
  return { arming, onBattery: isWhole ? batteries.some((status) => DISCHARGING.has(status)) : null };
}

function judgeAdapter(description: string, magic: string, armed: ReadonlySet<string>): WakeArming {
  // Windows must let the device wake it, and the device must listen for the packet.
  const mayWake = armed.has(description.trim());
  const listens = magic === 'Enabled' ? true : magic === 'Disabled' || magic === 'Unsupported' ? false : null;
  const supported = magic === 'Unsupported' ? false : magic === '' ? null : true;
  const detail = `Wake on Magic Packet: ${magic === '' ? 'not told' : magic}; may wake the computer: ${mayWake ? 'yes' : 'no'}`;
  return { supported, armed: mayWake ? listens : armed.size === 0 && magic === '' ? null : false, detail };
}
