import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLinuxGatewayMacs, readLinuxInterfaceFacts } from './linux-interfaces.js';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linux-interfaces-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function lay(path: string, text = ''): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

describe('what Linux says of its interfaces', () => {
  it('tells wired from wireless from virtual', async () => {
    await lay('eth0/device/vendor');
    await lay('eth0/address', 'A8:A1:59:00:00:01\n');
    await lay('wlan0/device/vendor');
    await lay('wlan0/wireless/status');
    await lay('wlan0/address', 'd8:bb:c1:00:00:02\n');
    await lay('docker0/address', '02:42:00:00:00:01\n');
    await lay('odd/nothing');
    expect(await readLinuxInterfaceFacts(folder)).toEqual(
      new Map([
        ['eth0', { kind: 'wired', hasDevice: true, mac: 'a8:a1:59:00:00:01' }],
        ['wlan0', { kind: 'wireless', hasDevice: true, mac: 'd8:bb:c1:00:00:02' }],
        ['docker0', { kind: 'unknown', hasDevice: false, mac: '02:42:00:00:00:01' }],
        ['odd', { kind: 'unknown', hasDevice: false, mac: null }],
      ]),
    );
  });

  it('is nothing where there is no sysfs', async () => {
    expect((await readLinuxInterfaceFacts(join(folder, 'missing'))).size).toBe(0);
  });

  it('names the gateway, or nothing without the files', async () => {
    await lay('route', 'Iface\neth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n');
    await lay('arp', 'IP\n192.168.1.1 0x1 0x2 aa:bb:cc:dd:ee:ff * eth0\n');
    expect([...(await readLinuxGatewayMacs(folder))]).toEqual([['eth0', 'aa:bb:cc:dd:ee:ff']]);
    expect([...(await readLinuxGatewayMacs(join(folder, 'missing')))]).toEqual([]);
  });
});
