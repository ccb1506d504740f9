import { describe, expect, it } from 'vitest';
import { hasVirtualMac, hasVirtualName } from './judge-virtual-interface.js';

describe('an interface with no cable or antenna behind it', () => {
  it.each([
    'lo',
    'docker0',
    'br-4c1f2b7d9e0a',
    'veth12ab',
    'virbr0',
    'tailscale0',
    'Tailscale',
    'wg0',
    'tun0',
    'podman1',
    'cni0',
    'vboxnet0',
    'vmnet8',
    'vEthernet (WSL (Hyper-V firewall))',
    'vEthernet (Default Switch)',
    'VMware Network Adapter VMnet8',
    'VirtualBox Host-Only Network',
    'Loopback Pseudo-Interface 1',
    'Bluetooth Network Connection',
    'ZeroTier One [8056c2e21c000001]',
  ])('is told by its name %j', (name) => {
    expect(hasVirtualName(name)).toBe(true);
  });

  it.each([
    '00:15:5d:01:02:03',
    '00:50:56:aa:bb:cc',
    '08:00:27:00:00:01',
    '02:42:ac:11:00:02',
    '00:00:00:00:00:00',
  ])('is told by its MAC %s', (mac) => {
    expect(hasVirtualMac(mac)).toBe(true);
  });
});

describe('a real one', () => {
  it.each([
    'eth0',
    'enp5s0',
    'eno1',
    'wlan0',
    'wlp3s0',
    'Ethernet',
    'Ethernet 2',
    'Wi-Fi',
    'WLAN',
    'LAN-Verbindung',
    'br0',
    'bond0',
    'usb0',
    'en0',
  ])('keeps its name %j', (name) => {
    expect(hasVirtualName(name)).toBe(false);
  });

  it.each(['a8:a1:59:01:02:03', '02:fc:00:00:00:01', '52:54:00:12:34:56', 'd8:bb:c1:00:00:01'])(
    'keeps its MAC %s',
    (mac) => {
      expect(hasVirtualMac(mac)).toBe(false);
    },
  );
});
