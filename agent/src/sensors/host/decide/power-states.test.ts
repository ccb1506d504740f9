import { describe, expect, it } from 'vitest';
import { judgeBattery, type PowerSupply } from './judge-battery.js';
import { parseCanDo } from './parse-can-do.js';
import { parsePowercfgStates } from './parse-powercfg-states.js';
import { parseRegistryNumber } from './parse-registry-number.js';

const DESKTOP = `The following sleep states are available on this system:
    Standby (S3)
    Hibernate
    Hybrid Sleep
    Fast Startup

The following sleep states are not available on this system:
    Standby (S1)
	The system firmware does not support this standby state.

    Standby (S2)
	The system firmware does not support this standby state.

    Standby (S0 Low Power Idle)
	The system firmware does not support this standby state.

`;

const MODERN_LAPTOP = `The following sleep states are available on this system:
    Standby (S0 Low Power Idle) Network Connected
    Hibernate
    Fast Startup

The following sleep states are not available on this system:
    Standby (S1)
	The system firmware does not support this standby state.

    Standby (S3)
	This standby state is disabled when S0 low power idle is supported.

`;

const GERMAN = `Die folgenden Standbymodusfunktionen sind auf diesem System verfügbar:
    Standby (S3)
    Ruhezustand
    Hybrider Standbymodus
    Schnellstart

Die folgenden Standbymodusfunktionen sind auf diesem System nicht verfügbar:
    Standby (S1)
	Dieser Standbymodus wird von der Systemfirmware nicht unterstützt.

    Standby (S0 Niedriger Energiestand im Leerlauf)
	Dieser Standbymodus wird von der Systemfirmware nicht unterstützt.
`;

const VIRTUAL = `The following sleep states are not available on this system:
    Standby (S1)
	The system firmware does not support this standby state.
	An internal system component has disabled this standby state.
		Graphics

    Standby (S3)
	An internal system component has disabled this standby state.
		Graphics

    Hibernate
	Hibernation has not been enabled.
`;

describe('the sleep states of a Windows machine', () => {
  it.each([
    ['a desktop', DESKTOP, ['S3']],
    ['a laptop with Modern Standby', MODERN_LAPTOP, ['S0']],
    ['a desktop that speaks German', GERMAN, ['S3']],
    ['a virtual machine', VIRTUAL, []],
    ['one that says nothing', '', []],
  ])('%s', (_what, text, states) => {
    expect(parsePowercfgStates(text)).toEqual(states);
    expect(parsePowercfgStates(text.replaceAll('\n', '\r\n'))).toEqual(states);
  });
});

describe('a number of the registry', () => {
  const KEY = 'HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Power\r\n';
  it.each([
    [`\r\n${KEY}    HiberbootEnabled    REG_DWORD    0x1\r\n\r\n`, 1],
    [`\r\n${KEY}    HiberbootEnabled    REG_DWORD    0x0\r\n\r\n`, 0],
    [`\r\n${KEY}    HIBERBOOTENABLED    REG_DWORD    0x1\r\n`, 1],
    [`\r\n${KEY}    Other    REG_DWORD    0x1\r\n`, null],
    [`\r\n${KEY}    HiberbootEnabled    REG_SZ    yes\r\n`, null],
    [`\r\n${KEY}    HiberbootEnabled    REG_SZ    1\r\n`, 1],
    [`\r\n${KEY}    HiberbootEnabled    REG_SZ    \r\n`, null],
    ['', null],
  ])('%#', (text, value) => {
    expect(parseRegistryNumber(text, 'HiberbootEnabled')).toBe(value);
  });
});

describe('what logind lets an agent do', () => {
  it.each([
    ['s "yes"\n', 'yes'],
    ['s "no"\n', 'no'],
    ['s "challenge"\n', 'challenge'],
    ['s "na"\n', 'na'],
    ['s "inhibitor-blocked"\n', 'yes'],
    ['s "challenge-inhibitor-blocked"\n', 'challenge'],
    ['', 'unknown'],
    ['Call failed: Access denied\n', 'unknown'],
  ])('%j: %s', (text, answer) => {
    expect(parseCanDo(text)).toBe(answer);
  });
});

describe('a machine runs on its battery', () => {
  const supply = (over: Partial<PowerSupply>): PowerSupply => ({
    ...{ type: 'Battery', scope: '', status: '', online: '' },
    ...over,
  });
  const mains = (online: string): PowerSupply => supply({ type: 'Mains', online });

  it.each([
    ['a desktop', [], false],
    ['a laptop on its charger', [mains('1'), supply({ status: 'Charging' })], false],
    ['a full laptop on its charger', [mains('1'), supply({ status: 'Full' })], false],
    ['a laptop without', [mains('0'), supply({ status: 'Discharging' })], true],
    [
      'a laptop that charges over USB-C',
      [supply({ type: 'USB', online: '1' }), supply({ status: 'Discharging' })],
      false,
    ],
    ['a desktop with a wireless mouse', [supply({ scope: 'Device', status: 'Discharging' })], false],
  ])('%s: %s', (_what, supplies, expected) => {
    expect(judgeBattery(supplies)).toBe(expected);
  });
});
