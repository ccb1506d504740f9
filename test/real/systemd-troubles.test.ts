import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { CutOffProxy } from '../harness/cut-off-proxy.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { PackagedAhead, packagedReleasePart } from '../harness/packaged-release.js';
import { describeReal } from '../harness/real-part.js';
import { serveRelease } from '../harness/remake-release.js';
import { idleSystemd } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { UPGRADE_MS, UpgradedAgent } from './systemd/upgraded-agent.js';

/** The first of all makes its Debian. */
const FIRST_BOOT_MS = 600_000;

const packaged = new PackagedAhead({ only: 'agent-linux' }, { only: 'agent-linux', version: '0.2.0' });

/** Executables as they are released, signed. Most of its time it waits for two minutes to pass, beside the others. */
describeReal(
  'an upgrade to a version that does not link',
  [packagedReleasePart, idleSystemd],
  () => {
    let home: TemporaryDirectory;
    let fabric: BootedControlPlane;
    let network: CutOffProxy;
    let agent: UpgradedAgent;

    beforeAll(async () => {
      home = temporaryDirectory();
      const served = join(home.path, 'served');
      serveRelease(packaged.release(1).folder, served);
      fabric = await BootedControlPlane.boot({
        fabric: fabricYaml({ hosts: { armitage: { mayBeAway: true } } }),
        config: { releaseDirectory: served },
      });
      network = await CutOffProxy.start(fabric.tlsUrl);
      agent = await UpgradedAgent.boot(packaged.release(), fabric);
      const installed = await agent.install(network.url);
      expect(installed.exitCode, installed.stdout + installed.stderr).toBe(0);
    }, FIRST_BOOT_MS);

    afterAll(async () => {
      await agent?.machine.close();
      await network?.close();
      await fabric?.close();
      home?.remove();
    }, UPGRADE_MS);

    it(
      'is taken back after its two minutes, and the version before is linked again',
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
      'is offered again, and done now that the control plane is in reach',
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
