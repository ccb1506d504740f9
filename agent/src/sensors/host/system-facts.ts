import type { Clock, NetworkInterface } from '@ai-fabric/shared';

/** The one place that knows `systeminformation`. Inventory only: several of its calls start PowerShell on Windows. */
export interface SystemFacts {
  /** Such as "Debian GNU/Linux 12" or "Microsoft Windows 11 Pro"; `null` when it could not be learnt in time. */
  readonly osName: string | null;
  readonly cpuModel: string | null;
}

const DEADLINE_MS = 20_000;

let known: Promise<SystemFacts> | null = null;

/** They cannot change without a reboot, and asking starts a dozen programs: once they are known whole, nobody asks again. */
export async function readSystemFacts(clock: Clock): Promise<SystemFacts> {
  known ??= askSystem(clock);
  const asked = known;
  const forget = (): void => {
    if (known === asked) known = null;
  };
  try {
    const facts = await asked;
    if (facts.osName === null || facts.cpuModel === null) forget();
    return facts;
  } catch (error) {
    forget();
    throw error;
  }
}

async function askSystem(clock: Clock): Promise<SystemFacts> {
  // Loaded when first needed and not before: it is large, and the steady state never calls it.
  const { default: systeminformation } = await import('systeminformation');
  const { osInfo, cpu } = systeminformation;
  const [os, processor] = await Promise.all([inTime(osInfo(), clock), inTime(cpu(), clock)]);
  return {
    osName: words(os?.distro, os?.release),
    cpuModel: words(processor?.manufacturer, processor?.brand),
  };
}

/** By interface name, for systems without sysfs. */
export async function readInterfaceKinds(
  clock: Clock,
): Promise<ReadonlyMap<string, NetworkInterface['kind']>> {
  const { default: systeminformation } = await import('systeminformation');
  const found = await inTime(systeminformation.networkInterfaces(), clock);
  const list = Array.isArray(found) ? found : found === null ? [] : [found];
  return new Map(list.map(({ iface, type }) => [iface, kindOf(type)]));
}

function kindOf(type: string): NetworkInterface['kind'] {
  return type === 'wired' || type === 'wireless' ? type : 'unknown';
}

/** The library's own queries have no deadline. */
function inTime<Value>(work: Promise<Value>, clock: Clock): Promise<Value | null> {
  return new Promise((resolve) => {
    const timer = clock.after(DEADLINE_MS, () => resolve(null));
    work.then(resolve, () => resolve(null)).finally(() => timer.cancel());
  });
}

function words(...parts: readonly (string | undefined)[]): string | null {
  const text = parts
    .map((part) => part?.trim() ?? '')
    .filter((part) => part !== '' && part.toLowerCase() !== 'unknown')
    .join(' ');
  return text === '' ? null : text.slice(0, 120);
}
