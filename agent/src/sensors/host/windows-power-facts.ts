import type { HostPowerFacts, PowerVerb } from '@ai-fabric/shared';
import { judgeFastStartup } from './decide/judge-fast-startup.js';
import { parsePowercfgStates } from './decide/parse-powercfg-states.js';
import { parseRegistryNumber } from './decide/parse-registry-number.js';
import { parseWindowsAdapters, type WindowsWakeFacts } from './decide/parse-windows-adapters.js';
import type { ToolText } from './tool-text.js';

export interface WindowsTools {
  readonly windowsDirectory: string;
  readonly toolText: ToolText;
  readonly slowToolText: ToolText;
}

const POWER_KEY = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Power';
const LOGON_KEY = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon';
const SESSION_POWER_KEY = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Power';

/** The words in it are no texts of the system: they are alike in every language. */
const ADAPTERS = [
  '[Console]::OutputEncoding = [Text.Encoding]::UTF8',
  'foreach ($a in @(Get-NetAdapter -Physical -ErrorAction SilentlyContinue)) { ' +
    '$m = (Get-NetAdapterPowerManagement -Name $a.Name -ErrorAction SilentlyContinue).WakeOnMagicPacket; ' +
    "'adapter' + [char]9 + $a.Name + [char]9 + $a.InterfaceDescription + [char]9 + $m }",
  'foreach ($b in @(Get-CimInstance Win32_Battery -ErrorAction SilentlyContinue)) { ' +
    "'battery' + [char]9 + $b.BatteryStatus }",
  "'end'",
].join('; ');

type ReadNumber = (key: string, name: string) => Promise<number | null>;

function registryOf(windowsDirectory: string, toolText: ToolText): ReadNumber {
  return (key, name) =>
    toolText(`${windowsDirectory}\\System32\\reg.exe`, ['query', key, '/v', name]).then((text) =>
      parseRegistryNumber(text, name),
    );
}

/** Whether this Windows hibernates, and whether its shutdown is half of that; `null`: it does not say. */
export async function readHibernation(
  windowsDirectory: string,
  toolText: ToolText,
): Promise<{ readonly canHibernate: boolean; readonly fastStartup: boolean | null }> {
  const registry = registryOf(windowsDirectory, toolText);
  const [hibernate, hiberboot] = await Promise.all([
    registry(POWER_KEY, 'HibernateEnabled'),
    registry(SESSION_POWER_KEY, 'HiberbootEnabled'),
  ]);
  return { canHibernate: hibernate === 1, fastStartup: judgeFastStartup(hiberboot, hibernate) };
}

/** What this Windows can do with its power, and which adapters wake it. */
export async function readWindowsPowerFacts(
  tools: WindowsTools,
): Promise<{ readonly power: HostPowerFacts; readonly arming: WindowsWakeFacts['arming'] }> {
  const { windowsDirectory, toolText, slowToolText } = tools;
  const system = `${windowsDirectory}\\System32`;
  const [states, armedDevices, adapters, { canHibernate, fastStartup }, autoLogon] = await Promise.all([
    toolText(`${system}\\powercfg.exe`, ['/a']).then(parsePowercfgStates),
    toolText(`${system}\\powercfg.exe`, ['/devicequery', 'wake_armed']),
    slowToolText(`${system}\\WindowsPowerShell\\v1.0\\powershell.exe`, [
      '-NoProfile',
      '-NonInteractive',
      '-Command',
      ADAPTERS,
    ]),
    readHibernation(windowsDirectory, toolText),
    registryOf(windowsDirectory, toolText)(LOGON_KEY, 'AutoAdminLogon'),
  ]);
  const { arming, onBattery } = parseWindowsAdapters(adapters, armedDevices);
  const isKnown = states.length > 0;
  const verbs: PowerVerb[] = [
    ...(isKnown ? (['suspend'] as const) : []),
    ...(canHibernate ? (['hibernate'] as const) : []),
    'poweroff',
    'reboot',
  ];
  const power = {
    verbs,
    sleepStates: [...states, ...(canHibernate ? ['S4'] : [])],
    modernStandby: isKnown ? states.includes('S0') : null,
    fastStartup,
    // One that nobody ever set is not there.
    autoLogon: autoLogon === 1,
    onBattery,
  };
  return { power, arming };
}
