import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatJoinToken, parseJoinToken } from '@ai-fabric/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { PACKAGING_TIMEOUT_MS, packagedRelease, packagedReleasePart } from '../harness/packaged-release.js';
import { describeReal, wine } from '../harness/real-part.js';
import { eventually } from '../simulators/common/eventually.js';
import { windowsNode } from './windows/windows-node.js';
import { WinePrefix } from './windows/wine-prefix.js';
import { keepSession, nssm, WineService } from './windows/wine-service.js';

const FABRIC = `
version: 1
hosts:
  armitage: { mayBeAway: true }
`;
/** As a person of that name has it: blanks, and letters that no code page of the console has. */
const RELEASE = 'C:\\users\\Zoë Müller\\Größe 日本';
const STEP_MS = 300_000;

interface Host {
  readonly hostId: string | null;
  readonly presence: string;
  readonly goodbyeReason: string | null;
}
interface Check {
  readonly id: string;
  readonly state: string;
  readonly says: string;
  readonly fix: string | null;
}
interface Run {
  readonly exitCode: number | null;
  readonly output: string;
}

/** The executable as it is released; NSSM, the registry and the service manager are those of Windows, as Wine has them. */
describeReal('the installed agent of Windows', [wine, windowsNode, nssm, packagedReleasePart], () => {
  let prefix: WinePrefix;
  let fabric: BootedControlPlane;
  let service: WineService;
  let before: readonly string[];
  let first: string | null;

  beforeAll(async () => {
    const release = await packagedRelease({ only: 'agent-windows' });
    fabric = await BootedControlPlane.boot({ fabric: FABRIC });
    prefix = new WinePrefix();
    keepSession(prefix);
    mkdirSync(onDisk(RELEASE), { recursive: true });
    cpSync(release.windowsAgent(), onDisk(RELEASE), { recursive: true });
    for (const name of ['manifest.json', 'manifest.sig']) {
      cpSync(join(release.folder, name), join(onDisk(RELEASE), name));
    }
    service = new WineService(prefix, {
      name: 'ai-fabric-agent',
      logFile: 'C:\\ProgramData\\AI Fabric\\agent\\logs\\agent.log',
    });
    before = places();
  }, PACKAGING_TIMEOUT_MS);

  afterAll(async () => {
    await prefix?.close();
    await fabric?.close();
  });

  const onDisk = (path: string): string => join(prefix.drive, ...path.split('\\').slice(1));
  /** What is in the folders that programs and their data lie in. */
  const places = (): readonly string[] =>
    ['C:\\Program Files', 'C:\\ProgramData', 'C:\\windows\\temp'].flatMap((folder) =>
      existsSync(onDisk(folder))
        ? readdirSync(onDisk(folder), { recursive: true, encoding: 'utf8' }).map(
            (file) => `${folder}: ${file}`,
          )
        : [],
    );
  const agent = async (
    args: readonly string[],
    program = `${RELEASE}\\ai-fabric-agent.exe`,
  ): Promise<Run> => {
    const running = prefix.run(program, args);
    const exitCode = await running.exited();
    return { exitCode, output: running.output };
  };
  const install = (token: string | null, ...more: string[]): Promise<Run> => {
    if (token !== null) writeFileSync(onDisk('C:\\join.token'), `${token}\r\n`, { mode: 0o600 });
    const joining = token === null ? [] : ['--server', fabric.tlsUrl, '--token-file', 'C:\\join.token'];
    return agent(['install', '--json', '--name', 'armitage', ...joining, ...more]);
  };
  const codeOf = ({ output }: Run): string => (JSON.parse(output) as { error: { code: string } }).error.code;
  const look = (): Promise<Host> => fabric.api<Host>('/hosts/armitage');
  const untilHost = async (what: string, holds: (host: Host) => boolean): Promise<void> => {
    await eventually(`armitage is ${what}`, async () => holds(await look()), 90_000).catch(
      (cause: unknown) => {
        throw new Error(`it said:\n${service.output.slice(-4_000)}`, { cause });
      },
    );
  };
  const installedProgram = (): string => {
    const versions = 'C:\\Program Files\\AI Fabric Agent\\versions';
    const [version = ''] = readdirSync(onDisk(versions));
    return `${versions}\\${version}\\ai-fabric-agent.exe`;
  };

  describe('what keeps it from being installed', () => {
    it(
      'is another service of that name',
      async () => {
        const other = await WineService.install(prefix, {
          ...{ name: 'ai-fabric-agent', program: 'C:\\windows\\system32\\ping.exe', args: [] },
          logFile: 'C:\\other.log',
        });
        const refused = await install(await fabric.joinToken('armitage'));
        await other.remove();
        expect(codeOf(refused), refused.output).toBe('service_taken');
        rmSync(onDisk('C:\\other.log'), { force: true });
      },
      STEP_MS,
    );

    it(
      'is a program that was tampered with',
      async () => {
        const wrapper = onDisk(`${RELEASE}\\nssm.exe`);
        const whole = readFileSync(wrapper);
        writeFileSync(wrapper, Buffer.concat([whole, Buffer.from('x')]));
        const refused = await install(await fabric.joinToken('armitage'));
        writeFileSync(wrapper, whole);
        expect(codeOf(refused), refused.output).toBe('release_refused');
      },
      STEP_MS,
    );

    it(
      'is a control plane with another certificate: no secret is sent, and the next install goes on from there',
      async () => {
        const token = parseJoinToken(await fabric.joinToken('armitage'));
        if (token === null) throw new Error('the control plane made a token that is none');
        const refused = await install(formatJoinToken({ ...token, certificateSha256: 'ab'.repeat(32) }));
        expect([refused.exitCode, codeOf(refused)], refused.output).toEqual([5, 'pin_mismatch']);
        expect(refused.output).not.toContain(token.secret);
        expect(await service.state()).toBe('absent');
      },
      STEP_MS,
    );
  });

  it(
    'is installed in one go, and linked',
    async () => {
      const installed = await install(await fabric.joinToken('armitage'));
      expect(installed.exitCode, `${installed.output}\n${service.output}`).toBe(0);
      const told = JSON.parse(installed.output) as { linked: boolean; checks: Check[] };
      expect(told.linked).toBe(true);
      const ids = told.checks.map(({ id }) => id);
      expect(ids).toEqual(expect.arrayContaining(['container_engine', 'fast_startup', 'sign_in_at_boot']));
      for (const { state, fix } of told.checks) if (state === 'red') expect(fix).not.toBeNull();
      await untilHost('online', ({ presence }) => presence === 'online');
      expect(await service.state()).toBe('running');
      first = (await look()).hostId;
      expect(first).not.toBeNull();
    },
    STEP_MS,
  );

  it('writes lines of JSON into its log', async () => {
    await eventually('it has logged', () => service.output.includes('\n'), 30_000);
    for (const line of service.output.trim().split(/\r?\n/)) expect(() => JSON.parse(line)).not.toThrow();
  });

  it(
    'repairs what is missing, needs no token for it, and keeps its identity',
    async () => {
      rmSync(onDisk('C:\\Program Files\\AI Fabric Agent\\ai-fabric-agent.cmd'));
      const again = await install(null);
      expect(again.exitCode, again.output).toBe(0);
      expect(JSON.parse(again.output)).toMatchObject({ installed: true, linked: true });
      await untilHost('online', ({ presence }) => presence === 'online');
      expect((await look()).hostId).toBe(first);
      expect(existsSync(onDisk('C:\\Program Files\\AI Fabric Agent\\ai-fabric-agent.cmd'))).toBe(true);
    },
    STEP_MS,
  );

  it(
    'says `service_stop` when the service manager stops it, and comes back',
    async () => {
      await service.stop();
      await untilHost('away', ({ presence }) => presence === 'away');
      expect(await look(), service.output).toMatchObject({ goodbyeReason: 'service_stop' });
      await service.start();
      await untilHost('online', ({ presence }) => presence === 'online');
    },
    STEP_MS,
  );

  it(
    'goes by its own hand, with a goodbye, and leaves what is its owner’s',
    async () => {
      const gone = await agent(['uninstall', '--yes', '--json'], installedProgram());
      expect(gone.exitCode, gone.output).toBe(0);
      expect(JSON.parse(gone.output)).toMatchObject({ uninstalled: true, problems: [] });
      expect(await service.state()).toBe('absent');
      await untilHost('away', ({ goodbyeReason }) => goodbyeReason === 'service_stop');
      expect(existsSync(onDisk('C:\\Program Files\\AI Fabric Agent'))).toBe(false);
      const left = readdirSync(onDisk('C:\\ProgramData\\AI Fabric\\agent'));
      expect(left).toEqual(
        expect.arrayContaining(['agent.json', 'agent.yaml', 'host-key.pem', 'installed.json']),
      );
    },
    STEP_MS,
  );

  it(
    'leaves nothing where its owner wants that',
    async () => {
      const purged = await agent(['uninstall', '--purge', '--yes', '--json']);
      expect(purged.exitCode, purged.output).toBe(0);
      expect(JSON.parse(purged.output)).toMatchObject({ uninstalled: true, problems: [] });
      // Windows' cmd is asked to remove it; Wine's does not.
      const movedAside = /^C:\\windows\\temp: ai-fabric-agent-\d+\.exe$/;
      expect(places().filter((place) => !movedAside.test(place))).toEqual(before);
    },
    STEP_MS,
  );
});
