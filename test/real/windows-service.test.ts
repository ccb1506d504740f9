import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { describeReal, wine } from '../harness/real-part.js';
import { eventually } from '../simulators/common/eventually.js';
import { windowsNode, windowsNodePath } from './windows/windows-node.js';
import { WinePrefix } from './windows/wine-prefix.js';
import { keepSession, nssm, WineService } from './windows/wine-service.js';

/** As it ships: it needs no folder of packages beside it. */
const AGENT = join(import.meta.dirname, '..', '..', 'agent', 'dist', 'program');
const ENVIRONMENT = {
  AI_FABRIC_AGENT_STATE: 'C:\\ProgramData\\AI Fabric\\agent',
  AI_FABRIC_AGENT_NAME: 'armitage',
};
const FABRIC = `
version: 1
hosts:
  armitage: { mayBeAway: true }
`;

interface Host {
  readonly presence: string;
  readonly goodbyeReason: string | null;
}

/** Node, NSSM and the service manager are those of Windows, as Wine has them. */
describeReal('the agent as a service of Windows', [wine, windowsNode, nssm], () => {
  let prefix: WinePrefix;
  let fabric: BootedControlPlane;
  let service: WineService;

  beforeAll(async () => {
    fabric = await BootedControlPlane.boot({ fabric: FABRIC });
    prefix = new WinePrefix();
    keepSession(prefix);
    cpSync(AGENT, join(prefix.drive, 'agent'), { recursive: true });
    writeFileSync(join(prefix.drive, 'agent', 'package.json'), '{ "type": "module" }\n');
    cpSync(windowsNodePath, join(prefix.drive, 'agent', 'node.exe'));
    writeFileSync(join(prefix.drive, 'join.token'), `${await fabric.joinToken('armitage')}\r\n`);
    const joining = prefix.node(
      'C:\\agent\\main.js',
      ['join', '--server', fabric.tlsUrl, '--token-file', 'C:\\join.token'],
      ENVIRONMENT,
    );
    expect(await joining.exited(), joining.output).toBe(0);
    service = await WineService.install(prefix, {
      name: 'ai-fabric-agent',
      program: 'C:\\agent\\node.exe',
      args: ['C:\\agent\\main.js', 'run'],
      environment: ENVIRONMENT,
      logFile: 'C:\\agent.log',
    });
    // As long as its goodbye may take, and more: NSSM's own second and a half is shorter.
    await service.set('AppStopMethodConsole', '10000');
  });

  afterAll(async () => {
    await prefix?.close();
    await fabric?.close();
  });

  const until = async (what: string, holds: (host: Host) => boolean): Promise<void> => {
    let seen: Host | undefined;
    const isSo = async () => {
      seen = await fabric.api<Host>('/hosts/armitage');
      return holds(seen);
    };
    await eventually(what, isSo, 60_000).catch((cause: unknown) => {
      throw new Error(`it is ${JSON.stringify(seen)}; it said:\n${service.output.slice(-4_000)}`, { cause });
    });
  };
  const isOnline = () => until('online', ({ presence }) => presence === 'online');

  it('is started by the service manager, and links', async () => {
    expect(await service.state()).toBe('stopped');
    await service.start();
    await isOnline();
    expect(prefix.withRandomAddresses(), 'one in 1500 of them would not start').toEqual([]);
  });

  it('says `service_stop` when the service manager stops it', async () => {
    await service.stop();
    await until('away', ({ presence }) => presence === 'away');
    expect(await fabric.api<Host>('/hosts/armitage'), service.output).toMatchObject({
      goodbyeReason: 'service_stop',
    });
  });

  it('comes back under the same key when it is started again', async () => {
    await service.start();
    await isOnline();
  });

  it('is no service any more once it is removed', async () => {
    await service.stop();
    await until('away', ({ presence }) => presence === 'away');
    await service.remove();
    expect(await service.state()).toBe('absent');
  });
});
