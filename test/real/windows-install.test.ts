import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { formatJoinToken, parseJoinToken } from '@ai-fabric/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { PackagedAhead, packagedReleasePart } from '../harness/packaged-release.js';
import { readStream } from '../harness/read-stream.js';
import { describeReal, wine } from '../harness/real-part.js';
import { runCli } from '../harness/run-program.js';
import type { ToldCheck } from '../harness/told-check.js';
import { eventually } from '../simulators/common/eventually.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';
import { readTranscript, takeApart } from './windows/install-transcript.js';
import { DATA, InstalledWindows, PROGRAMS, RELEASE, type WindowsRun } from './windows/installed-windows.js';
import { containersOf, IMAGE, NVIDIA_SMI, placeDesktop, startDesktop } from './windows/simulated-desktop.js';
import { windowsNode } from './windows/windows-node.js';
import type { WineProgram } from './windows/wine-prefix.js';
import { nssm, WineService } from './windows/wine-service.js';

const FABRIC = `
version: 1
hosts:
  armitage: { mayBeAway: true }
`;
const STEP_MS = 300_000;
/** With nothing on it. */
const CARD = { ...SAMPLE_CARDS.rtx4070, vramUsedMib: 500 };

const packaged = new PackagedAhead({ only: 'agent-windows' });

/** The executable as it is released; NSSM, the registry and the service manager are those of Windows, as Wine has them. */
describeReal(
  'the installed agent of Windows',
  [wine, windowsNode, nssm, packagedReleasePart],
  () => {
    let fabric: BootedControlPlane;
    let windows: InstalledWindows;
    let first: string | null;
    let desktop: WineProgram;

    beforeAll(async () => {
      fabric = await BootedControlPlane.boot({ fabric: FABRIC });
      windows = new InstalledWindows(fabric, packaged.release());
    }, 120_000);

    afterAll(async () => {
      await windows?.close();
      await fabric?.close();
    });

    const install = (token: string | null): Promise<WindowsRun> => windows.install(token, '--json');
    const codeOf = ({ output }: WindowsRun): string =>
      (JSON.parse(output) as { error: { code: string } }).error.code;

    describe('what keeps it from being installed', () => {
      it(
        'is another service of that name',
        async () => {
          const other = await WineService.install(windows.prefix, {
            ...{ name: 'ai-fabric-agent', program: 'C:\\windows\\system32\\ping.exe', args: [] },
            logFile: 'C:\\other.log',
          });
          const refused = await install(await fabric.joinToken('armitage'));
          await other.remove();
          expect(codeOf(refused), refused.output).toBe('service_taken');
          rmSync(windows.onDisk('C:\\other.log'), { force: true });
        },
        STEP_MS,
      );

      it(
        'is a program that was tampered with',
        async () => {
          const wrapper = windows.onDisk(`${RELEASE}\\nssm.exe`);
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
          expect(await windows.service.state()).toBe('absent');
        },
        STEP_MS,
      );
    });

    it(
      'is installed in one go, and linked, as the docs show it',
      async () => {
        const installed = await windows.install(await fabric.joinToken('armitage'));
        expect(installed.exitCode, `${installed.output}\n${windows.service.output}`).toBe(0);
        await windows.untilOnline();
        expect(takeApart(installed.output)).toEqual(readTranscript());
        expect(await windows.service.state()).toBe('running');
        first = (await windows.look()).hostId;
        expect(first).not.toBeNull();
      },
      STEP_MS,
    );

    it('writes lines of JSON into its log', async () => {
      await eventually('it has logged', () => windows.service.output.includes('\n'), 30_000);
      for (const line of windows.service.output.trim().split(/\r?\n/))
        expect(() => JSON.parse(line)).not.toThrow();
    });

    it(
      'repairs what is missing, needs no token for it, and keeps its identity',
      async () => {
        rmSync(windows.onDisk(`${PROGRAMS}\\ai-fabric-agent.cmd`));
        const again = await install(null);
        expect(again.exitCode, again.output).toBe(0);
        const told = JSON.parse(again.output) as { installed: boolean; linked: boolean; checks: ToldCheck[] };
        expect(told).toMatchObject({ installed: true, linked: true });
        const ids = told.checks.map(({ id }) => id);
        expect(ids).toEqual(expect.arrayContaining(['container_engine', 'fast_startup', 'sign_in_at_boot']));
        for (const { state, fix } of told.checks) if (state === 'red') expect(fix).not.toBeNull();
        await windows.untilOnline();
        expect((await windows.look()).hostId).toBe(first);
        expect(existsSync(windows.onDisk(`${PROGRAMS}\\ai-fabric-agent.cmd`))).toBe(true);
      },
      STEP_MS,
    );

    it(
      'says `service_stop` when the service manager stops it, and comes back',
      async () => {
        await windows.service.stop();
        await windows.untilHost('is away', ({ presence }) => presence === 'away');
        expect(await windows.look(), windows.service.output).toMatchObject({ goodbyeReason: 'service_stop' });
        await windows.service.start();
        await windows.untilOnline();
      },
      STEP_MS,
    );

    it(
      'brings a replica to ready through the tunnel, behind the pipe of Docker Desktop',
      async () => {
        await placeDesktop(windows.prefix.drive, CARD);
        await windows.service.stop();
        await windows.service.set(
          ...['AppEnvironmentExtra', `AI_FABRIC_AGENT_STATE=${DATA}`, 'AI_FABRIC_AGENT_HELPER=nssm'],
          `AI_FABRIC_AGENT_NVIDIA_SMI=${NVIDIA_SMI}`,
        );
        await windows.service.start();
        const made = await runCli([
          ...['deployments', 'create', 'qwen', '--host', 'armitage', '--task', 'chat', '--image', IMAGE],
          ...['--model', 'Qwen/Qwen2.5-1.5B-Instruct', '--context', '4096', '--data', fabric.dataDirectory],
        ]);
        expect(made.exitCode, made.stderr).toBe(0);
        await windows.untilHost('waits for somebody to sign in', ({ issues }) =>
          issues.some(({ code, fix }) => code === 'sign_in_needed' && fix?.includes('--docker-logon-task')),
        );
        desktop = startDesktop(windows.prefix, CARD.uuid, 20);
        const ready = await runCli([
          ...['deployments', 'wait', 'qwen', '--timeout', '120s', '--data', fabric.dataDirectory],
        ]);
        expect(
          ready.exitCode,
          `${ready.stdout}${ready.stderr}\n${windows.service.output.slice(-4_000)}`,
        ).toBe(0);
      },
      STEP_MS,
    );

    it(
      'finishes what it answers before it is uninstalled, by its own hand and with a goodbye; what is its owner’s stays',
      async () => {
        const role = { task: 'chat', targets: [{ deployment: 'qwen' }] };
        await fabric.api('/roles/chat-fast', { method: 'PUT', body: role });
        const answer = await fabric.post('/v1/chat/completions', {
          ...{
            model: 'chat-fast',
            messages: [{ role: 'user', content: 'Hello' }],
            max_tokens: 200,
            stream: true,
          },
        });
        expect(answer.status).toBe(200);
        const reading = readStream(answer);
        const gone = await windows.installed('uninstall', '--yes', '--json');
        expect(gone.exitCode, gone.output).toBe(0);
        expect(JSON.parse(gone.output)).toMatchObject({ uninstalled: true, problems: [] });
        expect(await reading).toMatchObject({ done: true, errorCode: null });
        expect(containersOf(desktop)).toBe('containers: ai-fabric-qwen (exited)');
        expect(await windows.service.state()).toBe('absent');
        await windows.untilHost('is away', ({ goodbyeReason }) => goodbyeReason === 'service_stop');
        expect(existsSync(windows.onDisk(PROGRAMS))).toBe(false);
        const left = readdirSync(windows.onDisk(DATA));
        expect(left).toEqual(
          expect.arrayContaining(['agent.json', 'agent.yaml', 'host-key.pem', 'installed.json']),
        );
      },
      STEP_MS,
    );

    it(
      'leaves nothing where its owner wants that',
      async () => {
        const purged = await windows.agent('uninstall', '--purge', '--yes', '--json');
        expect(purged.exitCode, purged.output).toBe(0);
        expect(JSON.parse(purged.output)).toMatchObject({ uninstalled: true, problems: [] });
        expect(windows.placesLeft()).toEqual(windows.before);
      },
      STEP_MS,
    );
  },
  packaged,
);
