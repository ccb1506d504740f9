import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostPowerFacts, PowerVerb, WakeArming } from '@ai-fabric/shared';
import { judgeBattery, type PowerSupply } from './decide/judge-battery.js';
import { judgeLinuxArming } from './decide/judge-linux-arming.js';
import { parseCanDo } from './decide/parse-can-do.js';
import type { ToolText } from './tool-text.js';

const NET_CLASS = '/sys/class/net';
const SUPPLY_CLASS = '/sys/class/power_supply';
const POWER_STATES = '/sys/power/state';
/** There where systemd runs the machine. */
const SYSTEMD = '/run/systemd/system';
const SBIN_ETHTOOL = '/usr/sbin/ethtool';

const LOGIND = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'];
const QUESTIONS: Readonly<Record<PowerVerb, string>> = {
  suspend: 'CanSuspend',
  hibernate: 'CanHibernate',
  poweroff: 'CanPowerOff',
  reboot: 'CanReboot',
};

/** What `ethtool` says of a card, by its interface; empty where it says nothing. */
export type ReadEthtool = (device: string) => Promise<string>;

/** Whether a card wakes its machine. @param device the card's own interface, not a bridge over it */
export async function readLinuxArming(device: string, readEthtool: ReadEthtool): Promise<WakeArming> {
  const [text, wakeup] = await Promise.all([
    readEthtool(device),
    readText(join(NET_CLASS, device, 'device', 'power', 'wakeup')),
  ]);
  return judgeLinuxArming(text, wakeup);
}

/** As this user is answered, which is all only where it is root. */
export function ownEthtool(toolText: ToolText): ReadEthtool {
  return async (device) => {
    const inPath = await toolText('ethtool', [device]);
    // Users other than root have no such folder in their path.
    return inPath === '' ? toolText(SBIN_ETHTOOL, [device]) : inPath;
  };
}

/**
 * What the machine can do, by logind's own word: it knows the kernel, the swap and what this user may.
 *
 * @param asksRoot what this user may not, root does for it
 */
export async function readLinuxPowerFacts(toolText: ToolText, asksRoot: boolean): Promise<HostPowerFacts> {
  const [verbs, states, onBattery] = await Promise.all([
    readVerbs(toolText, asksRoot),
    readText(POWER_STATES),
    readOnBattery(),
  ]);
  const sleepStates = states.trim().split(/\s+/).filter(Boolean).slice(0, 16);
  return { verbs, sleepStates, modernStandby: null, fastStartup: null, onBattery };
}

async function readVerbs(toolText: ToolText, asksRoot: boolean): Promise<PowerVerb[]> {
  const hasSystemd = await stat(SYSTEMD).then(
    () => true,
    () => false,
  );
  if (!hasSystemd) return [];
  const asked = await Promise.all(
    (Object.keys(QUESTIONS) as PowerVerb[]).map(async (verb) => {
      const answer = parseCanDo(await toolText('busctl', ['--system', 'call', ...LOGIND, QUESTIONS[verb]]));
      const isForRoot = asksRoot && (answer === 'no' || answer === 'challenge');
      return answer === 'yes' || isForRoot ? [verb] : [];
    }),
  );
  return asked.flat();
}

async function readOnBattery(): Promise<boolean> {
  const names = await readdir(SUPPLY_CLASS).catch(() => []);
  const supplies = await Promise.all(
    names.map(async (name): Promise<PowerSupply> => {
      const read = async (file: string): Promise<string> =>
        (await readText(join(SUPPLY_CLASS, name, file))).trim();
      const [type, scope, status, online] = await Promise.all(
        ['type', 'scope', 'status', 'online'].map(read),
      );
      return { type: type ?? '', scope: scope ?? '', status: status ?? '', online: online ?? '' };
    }),
  );
  return judgeBattery(supplies);
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
