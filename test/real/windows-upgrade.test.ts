import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { PackagedAhead, packagedReleasePart } from '../harness/packaged-release.js';
import { describeReal, wine } from '../harness/real-part.js';
import { serveRelease } from '../harness/remake-release.js';
import { runCli } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import { DATA, InstalledWindows, PROGRAMS, type WindowsRun } from './windows/installed-windows.js';
import { makeWindowsRelease } from './windows/make-windows-release.js';
import { windowsNode } from './windows/windows-node.js';
import { keepSession, nssm, nssmPath } from './windows/wine-service.js';

const FABRIC = `
version: 1
hosts:
  armitage: { mayBeAway: true }
`;
const STEP_MS = 300_000;
/** What the wrapper waits before it starts again what ended; how long the start itself takes is the machine's. */
const DELAY_MS = 5_000;
/** Three times, or once more where the machine is slow. */
const ENDED = /0\.3\.0 does not run: it ended \d times/;
const FINISHER = 'ai-fabric-agent-upgrade';

interface Told {
  readonly running: boolean;
  readonly version: string;
  readonly upgrade: { readonly phase: string; readonly version: string; readonly detail: string | null };
}

const packaged = new PackagedAhead({ only: 'agent-windows' }, { only: 'agent-windows', version: '0.2.0' });

/** Executables as they are released, signed; NSSM, the registry and the service manager are those of Windows, as Wine has them. */
describeReal(
  'an upgrade of the agent of Windows',
  [wine, windowsNode, nssm, packagedReleasePart],
  () => {
    let home: TemporaryDirectory;
    let fabric: BootedControlPlane;
    let windows: InstalledWindows;
    let newer: string;

    beforeAll(async () => {
      const first = packaged.release();
      newer = packaged.release(1).folder;
      home = temporaryDirectory();
      // It runs, prints how it is to be used, and ends.
      const ends = readFileSync(nssmPath);
      for (const version of ['0.3.0', '0.4.0']) await makeWindowsRelease(at(version), first, version, ends);
      serveRelease(newer, at('served'));
      fabric = await BootedControlPlane.boot({ fabric: FABRIC, config: { releaseDirectory: at('served') } });
      windows = new InstalledWindows(fabric, first);
      const installed = await windows.install(await fabric.joinToken('armitage'), '--json');
      expect(installed.exitCode, installed.output).toBe(0);
    }, STEP_MS);

    afterAll(async () => {
      await windows?.close();
      await fabric?.close();
      home?.remove();
    }, STEP_MS);

    const at = (name: string): string => join(home.path, name);
    const told = ({ output }: WindowsRun): Told => JSON.parse(output) as Told;
    const yes = (): Promise<WindowsRun> => windows.command('upgrade', '--yes', '--json');
    /** A release that was just put there is hashed before it is offered. */
    const offer = (version: string): Promise<void> =>
      eventually(
        `is offered ${version}`,
        async () => {
          const offered = await runCli(['hosts', 'upgrade', 'armitage', '--data', fabric.dataDirectory]);
          expect(offered.exitCode, offered.stdout + offered.stderr).toBe(0);
          const { upgrade } = await windows.look();
          return upgrade?.version === version && upgrade.phase === 'offered';
        },
        STEP_MS,
      );
    const pidOfAgent = async (): Promise<number> => {
      const { output } = await windows.command('status', '--json');
      return (JSON.parse(output) as { pid: number }).pid;
    };
    const kill = (pid: number): Promise<number | null> =>
      windows.prefix.run('taskkill', ['/F', '/PID', String(pid)]).exited();
    const starts = (): readonly number[] =>
      windows
        .logs()
        .split('\n')
        .flatMap((line) => {
          const entry = line.includes('agent: started') ? (JSON.parse(line) as { time: number }) : null;
          return entry === null ? [] : [entry.time];
        });
    const record = (): { readonly stage: string; readonly to: { readonly version: string } } =>
      JSON.parse(readFileSync(windows.onDisk(`${PROGRAMS}\\upgrade.json`), 'utf8')) as ReturnType<
        typeof record
      >;

    it(
      'is none when the agent is killed: it is started again after five seconds',
      async () => {
        await windows.untilOnline('0.1.0');
        const before = starts().length;
        const pid = await pidOfAgent();
        const killedAtMs = Date.now();
        expect(await kill(pid)).toBe(0);
        await eventually('it starts again', () => starts().length > before, 60_000);
        const tookMs = (starts().at(-1) ?? 0) - killedAtMs;
        expect(tookMs).toBeGreaterThan(DELAY_MS - 1_000);
        await windows.untilOnline('0.1.0');
        expect(await pidOfAgent()).not.toBe(pid);
      },
      STEP_MS,
    );

    it(
      'waits for the owner, is put in place when that one says yes, and is linked',
      async () => {
        await offer('0.2.0');
        const status = await windows.command('status');
        expect(status.output).toContain('upgrade:  to 0.2.0, offered');
        expect(status.output).toContain('ai-fabric-agent.cmd" upgrade');
        const done = await yes();
        expect([done.exitCode, told(done)], done.output).toMatchObject([
          0,
          { version: '0.2.0', upgrade: { phase: 'done', version: '0.2.0' } },
        ]);
        await windows.untilOnline('0.2.0');
        await windows.untilHost('says that it is done', ({ upgrade }) => upgrade?.phase === 'done');
        // Its replicas are the next one's: nobody puts others in their place.
        expect(windows.logs()).toContain('"reason":"restart"');
        expect(windows.versions().map((name) => name.split('-')[0])).toEqual(['0.1.0', '0.2.0']);
        expect((await windows.command('--version')).output).toContain('0.2.0');
        await untilRests();
      },
      STEP_MS,
    );

    it(
      'to a version that does not run is taken back by itself, and said so',
      async () => {
        serveRelease(at('0.3.0'), at('served'));
        await offer('0.3.0');
        const back = await yes();
        expect([back.exitCode, told(back)], back.output).toMatchObject([
          1,
          { version: '0.2.0', upgrade: { phase: 'rolled_back', version: '0.3.0' } },
        ]);
        expect(told(back).upgrade.detail).toMatch(ENDED);
        await windows.untilOnline('0.2.0');
        await windows.untilHost('says it', ({ upgrade }) => upgrade?.phase === 'rolled_back');
        const { issues } = await windows.look();
        expect(issues).toEqual(expect.arrayContaining([expect.objectContaining({ code: 'upgrade_failed' })]));
        expect((await windows.command('status')).output).toContain('upgrade:  to 0.3.0, rolled back');
        const shown = await runCli(['hosts', 'show', 'armitage', '--data', fabric.dataDirectory]);
        expect(shown.stdout).toMatch(ENDED);
        await untilRests();
        // The one before that is not needed any more either.
        expect(windows.versions().map((name) => name.split('-')[0])).toEqual(['0.2.0']);
      },
      STEP_MS,
    );

    it(
      'is brought to its end by the next boot, though the machine goes down in the middle; and nobody uninstalls meanwhile',
      async () => {
        serveRelease(at('0.4.0'), at('served'));
        await offer('0.4.0');
        const saying = windows.startCommand('upgrade', '--yes');
        await eventually(
          'it is being tried',
          () => record().to.version === '0.4.0' && record().stage === 'proving',
          STEP_MS,
        );
        // It waits for its end as long as nobody knows how that will be.
        expect(windows.prefix.halt('ai-fabric-agent.exe finish-upgrade')).toBeGreaterThan(0);
        const refused = await windows.agent('uninstall', '--yes', '--json');
        expect(refused.output).toContain('upgrade_under_way');
        await windows.prefix.cutPower();
        await saying.exited();
        keepSession(windows.prefix);
        await windows.untilOnline('0.2.0');
        await windows.untilHost(
          'says that it was rolled back',
          ({ upgrade }) => upgrade?.phase === 'rolled_back' && upgrade.version === '0.4.0',
          STEP_MS,
        );
        await untilRests();
      },
      STEP_MS * 2,
    );

    it(
      'leaves nothing behind when the agent is purged',
      async () => {
        const gone = await windows.installed('uninstall', '--purge', '--yes', '--json');
        expect(gone.exitCode, gone.output).toBe(0);
        expect(JSON.parse(gone.output)).toMatchObject({ uninstalled: true, problems: [] });
        expect(windows.placesLeft()).toEqual(windows.before);
        for (const name of ['ai-fabric-agent', FINISHER]) {
          expect(await windows.prefix.run('sc', ['query', name]).exited()).not.toBe(0);
        }
      },
      STEP_MS,
    );

    async function untilRests(): Promise<void> {
      const rests = async (): Promise<boolean> => {
        const asked = windows.prefix.run('sc', ['query', FINISHER]);
        await asked.exited();
        return /STATE\s*:\s*1\s/.test(asked.output);
      };
      await eventually('nothing of the upgrade is under way', rests, STEP_MS).catch((cause: unknown) => {
        const log = readFileSync(windows.onDisk(`${DATA}\\logs\\upgrade.log`), 'utf8');
        throw new Error(`it said:\n${log.slice(-4_000)}`, { cause });
      });
    }
  },
  packaged,
);
