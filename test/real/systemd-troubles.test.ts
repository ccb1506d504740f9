import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { CutOffProxy } from '../harness/cut-off-proxy.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { PackagedAhead, packagedReleasePart } from '../harness/packaged-release.js';
import { describeReal, type RealPart } from '../harness/real-part.js';
import { serveRelease } from '../harness/remake-release.js';
import { idleSystemd } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { InstalledAgent, UPGRADE_MS } from './systemd/installed-agent.js';
import { STAND_IN } from './systemd/stand-in-release.js';

/** Where Debian's package has it. */
const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime';
const IN_MACHINE = `${STAND_IN}/faketime`;
const DROP_IN = 'etc/systemd/system/ai-fabric-agent.service.d';
/** The first of all makes its Debian. */
const FIRST_BOOT_MS = 600_000;

const faketime: RealPart = {
  name: 'libfaketime',
  absence: () =>
    existsSync(LIBRARY) ? null : `${LIBRARY} is not there (apt-get install --no-install-recommends faketime)`,
  required: true,
};
const packaged = new PackagedAhead({ only: 'agent-linux' }, { only: 'agent-linux', version: '0.2.0' });

interface Installed {
  readonly notes: readonly string[];
  readonly checks: readonly { readonly id: string; readonly state: string; readonly says: string }[];
}

/** Executables as they are released, signed. Most of its time it waits for two minutes to pass, beside the others. */
describeReal(
  'an agent that is a service',
  [packagedReleasePart, faketime, idleSystemd],
  () => {
    let home: TemporaryDirectory;
    let fabric: BootedControlPlane;
    let network: CutOffProxy;
    let agent: InstalledAgent;

    beforeAll(async () => {
      home = temporaryDirectory();
      const served = join(home.path, 'served');
      serveRelease(packaged.release(1).folder, served);
      fabric = await BootedControlPlane.boot({
        fabric: fabricYaml({ hosts: { armitage: { mayBeAway: true } } }),
        config: { releaseDirectory: served },
      });
      network = await CutOffProxy.start(fabric.tlsUrl);
      const binds = [{ from: LIBRARY, to: IN_MACHINE }];
      agent = await InstalledAgent.boot(packaged.release(), fabric, binds);
    }, FIRST_BOOT_MS);

    afterAll(async () => {
      await agent?.machine.close();
      await network?.close();
      await fabric?.close();
      home?.remove();
    }, UPGRADE_MS);

    /** Installs with another clock; the service has it, too. */
    const installAt = async (offset: string): Promise<Installed> => {
      const clock = {
        ...{ LD_PRELOAD: `${IN_MACHINE}/libfaketimeMT.so.1`, FAKETIME: offset },
        // What times how long something takes is right on such a machine.
        DONT_FAKE_MONOTONIC: '1',
      };
      const folder = join(agent.machine.root, DROP_IN);
      mkdirSync(folder, { recursive: true });
      const lines = Object.entries(clock).map(([name, value]) => `Environment=${name}=${value}\n`);
      writeFileSync(join(folder, 'clock.conf'), `[Service]\n${lines.join('')}`);
      const { exitCode, stdout, stderr } = await agent.install(network.url, clock);
      expect(exitCode, stdout + stderr).toBe(0);
      return JSON.parse(stdout) as Installed;
    };
    const isSaidOff = async ({ checks }: Installed, how: string): Promise<void> => {
      const says = `to ${network.url} as armitage; this machine’s clock is ${how} the control plane’s`;
      expect(checks).toContainEqual({ id: 'linked', state: 'green', says, fix: null });
      expect((await agent.say('doctor')).stdout).toContain(says);
      await agent.untilOnline('0.1.0');
    };

    it(
      'joins and links though the clock of its machine is six years behind, which the install says',
      async () => {
        const installed = await installAt('-2190d');
        expect(installed.notes).toContainEqual(
          expect.stringMatching(/^The clock of this machine says \d{4}-\d\d-\d\d, which cannot be\./),
        );
        await isSaidOff(installed, '2190 days behind');
      },
      UPGRADE_MS,
    );

    it(
      'links though it is ten years ahead, which nobody knows but by the control plane',
      async () => {
        await isSaidOff(await installAt('+3650d'), '3650 days ahead of');
        rmSync(join(agent.machine.root, DROP_IN), { recursive: true });
        await agent.machine.must(['systemctl', 'daemon-reload']);
        await agent.machine.must(['systemctl', 'restart', 'ai-fabric-agent']);
      },
      UPGRADE_MS,
    );

    it(
      'is put back after two minutes where the version that took its place does not link',
      async () => {
        await agent.untilOnline('0.1.0');
        await agent.untilOffered();
        const saying = agent.sayYes();
        await agent.untilUnderWay('0.2.0');
        network.cut();
        const { exitCode, version, upgrade } = await saying;
        const detail = '0.1.0 runs again: 0.2.0 was not linked within 120 s';
        const rolledBack = { phase: 'rolled_back', version: '0.2.0', detail };
        expect([exitCode, version, upgrade]).toMatchObject([1, '0.1.0', rolledBack]);
        await agent.untilRests();
        expect(await agent.current()).toContain('/versions/0.1.0-');
        expect(await agent.machine.must(['ls', '/opt/ai-fabric-agent/versions'])).not.toContain('0.2.0');
        network.resume();
        await agent.untilOnline('0.1.0');
        await agent.untilHost('says why', ({ upgrade: told }) => told?.detail === detail);
      },
      UPGRADE_MS * 2,
    );

    it(
      'is replaced by that version when it is offered again, and the control plane is in reach',
      async () => {
        await agent.untilOffered();
        const { exitCode, upgrade } = await agent.sayYes();
        expect([exitCode, upgrade]).toMatchObject([0, { phase: 'done', version: '0.2.0' }]);
        await agent.untilOnline('0.2.0');
      },
      UPGRADE_MS,
    );
  },
  packaged,
);
