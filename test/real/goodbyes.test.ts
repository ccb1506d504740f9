import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { describeReal } from '../harness/real-part.js';
import { SystemdMachine } from '../harness/systemd-machine.js';
import { systemd } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';

/** As it ships: it needs no folder of packages beside it. */
const PROGRAM = join(import.meta.dirname, '..', '..', 'agent', 'dist', 'program');
const AGENT = ['/opt/node', '/opt/ai-fabric-agent/main.js'];
const STATE = '/var/lib/ai-fabric-agent';
const UNIT = 'ai-fabric-agent.service';
const FABRIC = `
version: 1
hosts:
  armitage: { mayBeAway: true }
`;
/** It is not started again by itself: what a kill looks like is to be seen. */
const SERVICE = `
[Unit]
After=network.target dbus.socket
[Service]
Type=exec
ExecStart=${AGENT.join(' ')} run
Environment=AI_FABRIC_AGENT_STATE=${STATE} AI_FABRIC_AGENT_NAME=armitage
[Install]
WantedBy=multi-user.target
`;
/** An inhibitor with its child, and who listens to logind. */
const MOST_BESIDE_BYTES = 24e6;
/** In the place of systemd-sleep: **the machine that tests run on must never be suspended**. */
const HARMLESS_SUSPEND = `
[Service]
ExecStart=
ExecStart=/bin/sleep 2
`;

interface Host {
  readonly presence: string;
  readonly goodbyeReason: string | null;
}

describeReal('an agent that is a service of systemd', [systemd], () => {
  let controlPlane: BootedControlPlane;
  let machine: SystemdMachine;
  let home: TemporaryDirectory;

  beforeAll(async () => {
    home = temporaryDirectory();
    const program = join(home.path, 'agent');
    cpSync(PROGRAM, program, { recursive: true });
    writeFileSync(join(program, 'package.json'), '{ "type": "module" }\n');
    controlPlane = await BootedControlPlane.boot({ fabric: FABRIC });
    machine = await SystemdMachine.create({
      hostName: 'armitage',
      binds: [
        { from: program, to: '/opt/ai-fabric-agent' },
        { from: process.execPath, to: '/opt/node' },
      ],
    });
    const units = join(machine.root, 'etc', 'systemd', 'system');
    writeFileSync(join(units, UNIT), SERVICE);
    mkdirSync(join(units, 'systemd-suspend.service.d'));
    writeFileSync(join(units, 'systemd-suspend.service.d', 'harmless.conf'), HARMLESS_SUSPEND);
    await machine.boot();
    await machine.must([...AGENT, 'join', '--server', controlPlane.tlsUrl, '--token-file', '-'], {
      input: `${await controlPlane.joinToken('armitage')}\n`,
      environment: { AI_FABRIC_AGENT_STATE: STATE, AI_FABRIC_AGENT_NAME: 'armitage' },
    });
    await machine.must(['systemctl', 'enable', '--now', UNIT]);
    await until('online', ({ presence }) => presence === 'online');
  }, 960_000);
  afterAll(async () => {
    await machine?.close();
    await controlPlane?.close();
    home?.remove();
  });

  const look = () => controlPlane.api<Host>('/hosts/armitage');
  const until = async (what: string, holds: (host: Host) => boolean): Promise<void> => {
    let seen: Host | undefined;
    const isSo = async () => {
      seen = await look();
      return holds(seen);
    };
    await eventually(what, isSo, 90_000).catch(async (cause: unknown) => {
      const told = machine.isRunning ? await machine.journal(UNIT) : machine.console;
      throw new Error(`it is ${JSON.stringify(seen)}; it said:\n${told.slice(-1_500)}`, { cause });
    });
  };
  const isBack = () =>
    until('online', ({ presence, goodbyeReason }) => presence === 'online' && goodbyeReason === null);
  const left = (reason: string) =>
    until(`it says ${reason}`, ({ goodbyeReason }) => goodbyeReason === reason);

  it('has little beside it that waits for a suspend', { timeout: 240_000 }, async () => {
    let beside: readonly BesideIt[] = [];
    const weight = () => beside.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
    // One that was forked and is no other program yet weighs what the agent does.
    const isLight = async () => {
      beside = await lookBeside();
      const isWatching = ['systemd-inhibit', 'cat'].every((name) =>
        beside.some((each) => each.name === name),
      );
      return isWatching && weight() < MOST_BESIDE_BYTES;
    };
    await eventually('it holds a suspend up, and is light', isLight, 90_000).catch((cause: unknown) => {
      throw new Error(JSON.stringify(beside), { cause });
    });
  });

  it('says `service_stop` when its service is stopped', { timeout: 240_000 }, async () => {
    await machine.must(['systemctl', 'stop', UNIT]);
    await left('service_stop');
    expect(await machine.journal(UNIT)).not.toMatch(/Killing process|State 'stop-sigterm' timed out/);
    await machine.must(['systemctl', 'start', UNIT]);
    await isBack();
  });

  it('says nothing when it is killed', { timeout: 240_000 }, async () => {
    await machine.must(['systemctl', 'kill', '--signal=KILL', UNIT]);
    await until('late', ({ presence }) => presence !== 'online');
    expect((await look()).goodbyeReason).toBeNull();
    await machine.must(['systemctl', 'reset-failed', UNIT]);
    await machine.must(['systemctl', 'start', UNIT]);
    await isBack();
  });

  it('says `suspend` before its machine suspends, while that waits, and is back afterwards', {
    timeout: 240_000,
  }, async () => {
    await allowSuspend();
    expect(await machine.must(['systemd-inhibit', '--list', '--no-legend'])).toMatch(/sleep .*delay/);
    await Promise.all([left('suspend'), machine.must(['systemctl', 'suspend'])]);
    await isBack();
  });

  it('says `restart` before its machine restarts, and is back by itself', { timeout: 240_000 }, async () => {
    const restarted = machine.reboot();
    await Promise.all([left('restart'), restarted]);
    await isBack();
  });

  it('says `shutdown` before its machine goes down', { timeout: 240_000 }, async () => {
    await machine.powerOff();
    await left('shutdown');
    expect((await look()).presence).toBe('away');
  });

  /** What its process has started, and what that has. */
  async function lookBeside(): Promise<readonly BesideIt[]> {
    const main = (await machine.must(['systemctl', 'show', '--value', '-p', 'MainPID', UNIT])).trim();
    // A process may end while it is looked at.
    const told = await machine.must(['sh', '-c', 'cat /proc/[0-9]*/status 2>/dev/null || true']);
    const all = told.split(/^(?=Name:)/m).map(readStatus);
    const found: BesideIt[] = [];
    for (let parents = new Set([main]); parents.size > 0; ) {
      const children = all.filter(({ parent }) => parents.has(parent));
      found.push(...children);
      parents = new Set(children.map(({ pid }) => pid));
    }
    return found;
  }

  /** Lets logind believe that the machine can suspend: a file of the container stands before the kernel's own. */
  async function allowSuspend(): Promise<void> {
    await machine.must(['sh', '-ec', 'echo mem >/run/states; mount --bind /run/states /sys/power/state']);
    const [, answer] = (await machine.must(['busctl', 'call', ...LOGIND, 'CanSuspend'])).split(' ');
    expect(answer?.trim()).toBe('"yes"');
  }
});

interface BesideIt {
  readonly name: string;
  readonly pid: string;
  readonly parent: string;
  readonly rssBytes: number;
}

/** @param text a process's `/proc/PID/status` */
function readStatus(text: string): BesideIt {
  const field = (key: string) => new RegExp(`^${key}:\\s+(\\S+)`, 'm').exec(text)?.[1] ?? '';
  const rssBytes = Number(field('VmRSS')) * 1024;
  return { name: field('Name'), pid: field('Pid'), parent: field('PPid'), rssBytes };
}

const LOGIND = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'];
