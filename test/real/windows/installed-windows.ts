import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BootedControlPlane } from '../../harness/boot-control-plane.js';
import type { PackagedRelease } from '../../harness/packaged-release.js';
import { eventually } from '../../simulators/common/eventually.js';
import { WinePrefix, type WineProgram } from './wine-prefix.js';
import { keepSession, WineService } from './wine-service.js';

export interface WindowsRun {
  readonly exitCode: number | null;
  readonly output: string;
}

/** What the control plane shows of the host. */
export interface WindowsHost {
  readonly hostId: string | null;
  readonly presence: string;
  readonly goodbyeReason: string | null;
  readonly agentVersion: string | null;
  readonly upgrade: {
    readonly phase: string;
    readonly version: string;
    readonly detail: string | null;
  } | null;
  readonly issues: readonly {
    readonly code: string;
    readonly detail: string;
    readonly fix: string | null;
  }[];
}

/** As a person of that name has it: blanks, and letters that no code page of the console has. */
export const RELEASE = 'C:\\users\\Zoë Müller\\Größe 日本';
export const PROGRAMS = 'C:\\Program Files\\AI Fabric Agent';
export const DATA = 'C:\\ProgramData\\AI Fabric\\agent';
const PRESENCE_MS = 90_000;

/** A Windows that the agent is installed on as a service, from the executable as it is released. */
export class InstalledWindows {
  readonly prefix: WinePrefix;
  readonly service: WineService;
  readonly #fabric: BootedControlPlane;
  /** What was in its folders before anything was installed. */
  readonly before: readonly string[];

  /** @param release of which the Windows agent is there, unpacked and not installed yet */
  constructor(fabric: BootedControlPlane, release: PackagedRelease) {
    this.#fabric = fabric;
    this.prefix = new WinePrefix();
    keepSession(this.prefix);
    mkdirSync(this.onDisk(RELEASE), { recursive: true });
    cpSync(release.windowsAgent(), this.onDisk(RELEASE), { recursive: true });
    for (const name of ['manifest.json', 'manifest.sig']) {
      cpSync(join(release.folder, name), join(this.onDisk(RELEASE), name));
    }
    this.service = new WineService(this.prefix, {
      name: 'ai-fabric-agent',
      logFile: `${DATA}\\logs\\agent.log`,
    });
    this.before = this.places();
  }

  close(): Promise<void> {
    return this.prefix.close();
  }

  /** Where a path of its disk is on this machine. */
  onDisk(path: string): string {
    return join(this.prefix.drive, ...path.split('\\').slice(1));
  }

  /** What is in the folders that programs and their data lie in. */
  places(): readonly string[] {
    return ['C:\\Program Files', 'C:\\ProgramData', 'C:\\windows\\temp'].flatMap((folder) =>
      existsSync(this.onDisk(folder))
        ? readdirSync(this.onDisk(folder), { recursive: true, encoding: 'utf8' }).map(
            (file) => `${folder}: ${file}`,
          )
        : [],
    );
  }

  /** The same but for programs that moved aside: Windows' cmd is asked to remove them; Wine's does not. */
  placesLeft(): readonly string[] {
    const movedAside = /^C:\\windows\\temp: ai-fabric-agent-\d+\.exe$/;
    return this.places().filter((place) => !movedAside.test(place));
  }

  /** Names of the versions that are placed, in order. */
  versions(): readonly string[] {
    return readdirSync(this.onDisk(`${PROGRAMS}\\versions`)).sort();
  }

  /** The agent that was unpacked, run by hand. */
  agent(...args: readonly string[]): Promise<WindowsRun> {
    return ended(this.prefix.run(`${RELEASE}\\ai-fabric-agent.exe`, args));
  }

  /** The latest version that is placed, run by hand as itself: a command that removes all would be in its own way. */
  installed(...args: readonly string[]): Promise<WindowsRun> {
    return ended(
      this.prefix.run(`${PROGRAMS}\\versions\\${this.versions().at(-1)}\\ai-fabric-agent.exe`, args),
    );
  }

  /** As whoever is at the machine has it: by what the install put there for that. */
  command(...args: readonly string[]): Promise<WindowsRun> {
    return ended(this.startCommand(...args));
  }

  startCommand(...args: readonly string[]): WineProgram {
    return this.prefix.run('cmd', ['/c', `${PROGRAMS}\\ai-fabric-agent.cmd`, ...args]);
  }

  /** @param token `null`: none is given */
  install(token: string | null, ...more: readonly string[]): Promise<WindowsRun> {
    if (token !== null) writeFileSync(this.onDisk('C:\\join.token'), `${token}\r\n`, { mode: 0o600 });
    const joining = token === null ? [] : ['--server', this.#fabric.tlsUrl, '--token-file', 'C:\\join.token'];
    return this.agent('install', '--name', 'armitage', ...joining, ...more);
  }

  /** All that the agent logged and that is kept, oldest first: its wrapper puts a log aside at each start. */
  logs(): string {
    const folder = this.onDisk(`${DATA}\\logs`);
    const aside = readdirSync(folder).filter((name) => /^agent-.*\.log$/.test(name));
    const names = [...aside.sort(), 'agent.log'].filter((name) => existsSync(join(folder, name)));
    return names.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  }

  look(): Promise<WindowsHost> {
    return this.#fabric.api<WindowsHost>('/hosts/armitage');
  }

  /** @throws Error with what the agent logged last */
  async untilHost(
    what: string,
    holds: (host: WindowsHost) => boolean,
    deadlineMs = PRESENCE_MS,
  ): Promise<void> {
    let seen: WindowsHost | undefined;
    const isSo = async (): Promise<boolean> => {
      seen = await this.look();
      return holds(seen);
    };
    await eventually(`armitage ${what}`, isSo, deadlineMs).catch((cause: unknown) => {
      const { presence, agentVersion, upgrade } = seen ?? {};
      const is = JSON.stringify({ presence, agentVersion, upgrade });
      throw new Error(`it is ${is}; it said:\n${this.service.output.slice(-4_000)}`, { cause });
    });
  }

  untilOnline(version?: string): Promise<void> {
    return this.untilHost(
      `is online${version === undefined ? '' : ` with ${version}`}`,
      ({ presence, agentVersion }) =>
        presence === 'online' && (version === undefined || agentVersion === version),
    );
  }
}

async function ended(running: WineProgram): Promise<WindowsRun> {
  const exitCode = await running.exited();
  return { exitCode, output: running.output };
}
