import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeLinuxArming } from './judge-linux-arming.js';
import { parseEthtool } from './parse-ethtool.js';
import { parseWindowsAdapters } from './parse-windows-adapters.js';

const settings = (...lines: string[]): string => `Settings for enp3s0:
	Supported ports: [ TP	 MII ]
	Supported link modes:   10baseT/Half 10baseT/Full
	                        100baseT/Half 100baseT/Full
	                        1000baseT/Full
	Supported pause frame use: Symmetric Receive-only
	Supports auto-negotiation: Yes
	Speed: 1000Mb/s
	Duplex: Full
	Auto-negotiation: on
	Port: Twisted Pair
	PHYAD: 0
	Transceiver: external
	MDI-X: Unknown
${lines.map((line) => `\t${line}\n`).join('')}        Current message level: 0x00000033 (51)
                               drv probe ifdown ifup
	Link detected: yes
`;

describe('what ethtool says of waking', () => {
  it.each([
    [settings('Supports Wake-on: pumbg', 'Wake-on: g'), true, true],
    [settings('Supports Wake-on: pumbg', 'Wake-on: d'), true, false],
    [settings('Supports Wake-on: pumbg', 'Wake-on: ug'), true, true],
    [settings('Supports Wake-on: pumbg', 'Wake-on: pb'), true, false],
    [settings('Supports Wake-on: d', 'Wake-on: d'), false, false],
    [settings('Supports Wake-on: pumbgs', 'Wake-on: gs', 'SecureOn password: 00:00:00:00:00:00'), true, true],
    ['Settings for wlp4s0:\n\tSupports Wake-on: g\n\tWake-on: d\n\tLink detected: yes\n', true, false],
  ])('%#', (text, supported, armed) => {
    expect(parseEthtool(text)).toMatchObject({ supported, armed });
  });

  it('is told as it was read', () => {
    const { detail } = parseEthtool(settings('Supports Wake-on: pumbg', 'Wake-on: g')) ?? {};
    expect(detail).toBe('Supports Wake-on: pumbg, Wake-on: g');
  });

  it('is nothing where it does not say', () => {
    expect(parseEthtool(settings())).toBeNull();
    expect(parseEthtool('')).toBeNull();
  });

  it('is read whatever it prints', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const arming = parseEthtool(`${text}\nWake-on: ${text}`);
        return arming === null || (arming.detail?.length ?? 0) <= 200;
      }),
    );
  });
});

describe('the arming of a Linux card', () => {
  it('is what ethtool says, where it says anything', () => {
    const text = settings('Supports Wake-on: pumbg', 'Wake-on: d');
    expect(judgeLinuxArming(text, 'enabled')).toMatchObject({ armed: false });
  });

  it.each([
    ['', 'enabled\n', true, true, 'ethtool is not there or failed'],
    ['', 'disabled\n', true, false, 'does not let the card wake'],
    [settings(), 'enabled\n', true, true, 'not root'],
    ['', '', null, null, 'no waking for this card'],
  ])('else what the kernel says: %j %j', (ethtool, wakeup, supported, armed, why) => {
    const arming = judgeLinuxArming(ethtool, wakeup);
    expect(arming).toMatchObject({ supported, armed });
    expect(arming.detail).toContain(why);
    expect(arming.detail?.length).toBeLessThanOrEqual(200);
  });
});

const ARMED = `HID Keyboard Device
Intel(R) Ethernet Connection (7) I219-V
`;
const line = (...parts: string[]): string => parts.join('\t');

describe('the adapters of a Windows machine', () => {
  it('wake it when Windows lets them and they listen for the packet', () => {
    const text = [
      line('adapter', 'Ethernet', 'Intel(R) Ethernet Connection (7) I219-V', 'Enabled'),
      line('adapter', 'Ethernet 2', 'Realtek PCIe GbE Family Controller', 'Enabled'),
      line('adapter', 'WLAN', 'Intel(R) Wi-Fi 6 AX200 160MHz', 'Unsupported'),
      'end',
      '',
    ].join('\r\n');
    const { arming, onBattery } = parseWindowsAdapters(text, ARMED);
    expect(arming.get('Ethernet')).toEqual({
      ...{ supported: true, armed: true },
      detail: 'Wake on Magic Packet: Enabled; may wake the computer: yes',
    });
    expect(arming.get('Ethernet 2')).toMatchObject({ supported: true, armed: false });
    expect(arming.get('WLAN')).toMatchObject({ supported: false, armed: false });
    expect(onBattery).toBe(false);
  });

  it('do not when a driver update took the packet away', () => {
    const text = `${line('adapter', 'Ethernet', 'Intel(R) Ethernet Connection (7) I219-V', 'Disabled')}\r\nend\r\n`;
    expect(parseWindowsAdapters(text, ARMED).arming.get('Ethernet')).toMatchObject({
      ...{ supported: true, armed: false },
    });
  });

  it('are unknown where nothing was told', () => {
    const text = `${line('adapter', 'Ethernet', 'Intel(R) Ethernet Connection (7) I219-V', '')}\r\nend\r\n`;
    expect(parseWindowsAdapters(text, '').arming.get('Ethernet')).toMatchObject({
      ...{ supported: null, armed: null },
    });
    expect(parseWindowsAdapters('', '')).toEqual({ arming: new Map(), onBattery: null });
    // "NONE" is what powercfg prints for no device at all.
    expect(parseWindowsAdapters(text, 'NONE\r\n').arming.get('Ethernet')).toMatchObject({ armed: false });
  });

  it.each([
    ['1', true],
    ['4', true],
    ['2', false],
    ['6', false],
  ])('the battery has status %s: runs on it: %s', (status, onBattery) => {
    expect(parseWindowsAdapters(`${line('battery', status)}\r\nend\r\n`, '').onBattery).toBe(onBattery);
    expect(parseWindowsAdapters(line('battery', status), '').onBattery).toBeNull();
  });
});
