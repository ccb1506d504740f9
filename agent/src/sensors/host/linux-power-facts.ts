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

/** Whether a card wakes its machine. @param device the card's own interface, not a bridge over it */
export async function readLinuxArming(device: string, toolText: ToolText): Promise<WakeArming> {
  const [inPath, wakeup] = await Promise.all([
    toolText('ethtool', [device]),
    readText(join(NET_CLASS, device, 'device', 'power', 'wakeup')),
  ]);
  // Users other than root have no such folder in their path.
  const text = inPath === '' ? await toolText(SBIN_ETHTOOL, [device]) : inPath;
  return judgeLinuxArming(text, wakeup);
}

/** What the machine can do, by logind's own word: it knows the kernel, the swap and what this user may. */
export async function readLinuxPowerFacts(toolText: ToolText): Promise<HostPowerFacts> {
  const [verbs, states, onBattery] = await Promise.all([
    readVerbs(toolText),
    readText(POWER_STATES),
    readOnBattery(),
  ]);
  const sleepStates = states.trim().split(/\s+/).filter(Boolean).slice(0, 16);
  return { verbs, sleepStates, modernStandby: null, fastStartup: null, onBattery };
}

async function readVerbs(toolText: ToolText): Promise<PowerVerb[]> {
  const hasSystemd = await stat(SYSTEMD).then(
    () => true,
    () => false,
  );
  if (!hasSystemd) return [];
  const asked = await Promise.all(
    (Object.keys(QUESTIONS) as PowerVerb[]).map(async (verb) => {
      const answer = parseCanDo(await toolText('busctl', ['--system', 'call', ...LOGIND, QUESTIONS[verb]]));
      return answer === 'yes' ? [verb] : [];
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
