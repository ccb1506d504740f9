import { join } from 'node:path';
import type { BootedControlPlane } from '../../harness/boot-control-plane.js';
import type { PackagedRelease } from '../../harness/packaged-release.js';
import { type RunResult, SystemdMachine, type SystemdMachineOptions } from '../../harness/systemd-machine.js';
import { eventually } from '../../simulators/common/eventually.js';
import { STAND_IN } from './stand-in-release.js';

/** An upgrade, or a step of it, on a machine that has little time. */
export const UPGRADE_MS = 240_000;
const UNIT = 'ai-fabric-agent.service';
const FINISHING = 'ai-fabric-agent-upgrade.service';
/** Where the machine has the release that is installed. */
const RELEASE = `${STAND_IN}/signed`;

export interface Told {
  readonly phase: string;
  readonly version: string;
  readonly detail: string | null;
}
interface Host {
  readonly presence: string;
  readonly agentVersion: string | null;
  readonly upgrade: Told | null;
}
interface UpgradeRecord {
  readonly stage: string;
  readonly to: { readonly version: string };
}

/** The host `armitage`, whose agent is a service, of a packaged release; and what its control plane tells of it. */
export class InstalledAgent {
  readonly machine: SystemdMachine;
  readonly #fabric: BootedControlPlane;

  private constructor(machine: SystemdMachine, fabric: BootedControlPlane) {
    this.machine = machine;
    this.#fabric = fabric;
  }

  /** A machine that has booted and has the release before it. */
  static async boot(
    release: PackagedRelease,
    fabric: BootedControlPlane,
    binds: NonNullable<SystemdMachineOptions['binds']> = [],
  ): Promise<InstalledAgent> {
    const parts = [
      { from: join(release.folder, 'manifest.json'), to: `${RELEASE}/manifest.json` },
      { from: join(release.folder, 'manifest.sig'), to: `${RELEASE}/manifest.sig` },
      { from: release.linuxAgent(), to: `${RELEASE}/ai-fabric-agent` },
    ];
    const machine = await SystemdMachine.create({ hostName: 'armitage', binds: [...parts, ...binds] });
    try {
      await machine.boot();
    } catch (error) {
      await machine.close();
      throw error;
    }
    return new InstalledAgent(machine, fabric);
  }

  /** @param server by which it reaches its control plane @param environment of the program that installs */
  async install(server: string, environment: Readonly<Record<string, string>> = {}): Promise<RunResult> {
    const command = [`${RELEASE}/ai-fabric-agent`, 'install', '--json', '--release', RELEASE];
    return this.machine.run(
      [...command, '--podman-socket', 'none', '--server', server, '--token-file', '-'],
      { input: `${await this.#fabric.joinToken('armitage')}\n`, environment },
    );
  }

  say(...args: readonly string[]): Promise<RunResult> {
    return this.machine.run(['/usr/local/bin/ai-fabric-agent', ...args], { timeoutMs: UPGRADE_MS });
  }

  /** Its owner does, and waits for what comes of it. */
  async sayYes(): Promise<{ exitCode: number | null; version: string; upgrade: Told }> {
    const { exitCode, stdout } = await this.say('upgrade', '--yes', '--json');
    return { exitCode, ...(JSON.parse(stdout) as { version: string; upgrade: Told }) };
  }

  offer(): Promise<{ answer: string; code: string | null }> {
    return this.#fabric.api('/hosts/armitage/offer-upgrade', { method: 'POST' });
  }

  /** A release that was just put there is hashed before it is offered. */
  untilOffered(): Promise<void> {
    return eventually('it takes the offer', async () => (await this.offer()).answer === 'done', UPGRADE_MS);
  }

  untilHost(what: string, holds: (host: Host) => boolean): Promise<void> {
    const look = (): Promise<Host> => this.#fabric.api<Host>('/hosts/armitage');
    return eventually(`armitage ${what}`, async () => holds(await look()), UPGRADE_MS);
  }

  untilOnline(version: string): Promise<void> {
    return this.untilHost(
      `is online with ${version}`,
      ({ presence, agentVersion }) => presence === 'online' && agentVersion === version,
    );
  }

  /** `version` is being put in place, and not yet there. */
  untilUnderWay(version: string): Promise<void> {
    const isUnderWay = (): boolean => {
      const { stage, to } = JSON.parse(
        this.machine.read('opt/ai-fabric-agent/upgrade.json'),
      ) as UpgradeRecord;
      return to.version === version && stage !== 'done';
    };
    return eventually('it is under way', isUnderWay, UPGRADE_MS);
  }

  untilRests(): Promise<void> {
    return eventually(
      'nothing of the upgrade is under way',
      async () => (await this.machine.run(['systemctl', 'is-active', FINISHING])).exitCode !== 0,
      UPGRADE_MS,
    );
  }

  async current(): Promise<string> {
    return (await this.machine.must(['readlink', '/opt/ai-fabric-agent/current'])).trim();
  }

  /** The process that runs, and all that root placed, but for what the owner said yes to. */
  async standing(): Promise<string> {
    const shown = await this.machine.must(['systemctl', 'show', '--property=MainPID,ActiveState', UNIT]);
    const find = ['find', '/opt/ai-fabric-agent', '-mindepth', '1', '!', '-name', 'upgrade-consent.json'];
    return shown + (await this.machine.must([...find, '-printf', '%p %s %l %t\\n']));
  }
}
