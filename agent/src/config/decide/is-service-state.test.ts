import { expect, test } from 'vitest';
import { isServiceState } from './is-service-state.js';

const roots = {
  windows: 'C:\\Windows',
  programFiles: 'C:\\Programs',
  programData: 'C:\\Data',
  localAppData: null,
};
const RECORD = '/etc/ai-fabric-agent/installed.json';
const UNIT = '/etc/systemd/system/ai-fabric-agent.service';
const WRAPPER = 'C:\\Programs\\AI Fabric Agent\\nssm.exe';

test.each([
  ['linux', '/var/lib/ai-fabric-agent', [RECORD, UNIT], true],
  // Uninstalled, and its settings kept.
  ['linux', '/var/lib/ai-fabric-agent', [RECORD], false],
  // Somebody else's service of that name.
  ['linux', '/var/lib/ai-fabric-agent', [UNIT], false],
  ['linux', '/home/anna/.local/state/ai-fabric-agent', [RECORD, UNIT], false],
  ['win32', 'c:\\data\\AI Fabric\\agent', [WRAPPER], true],
  ['win32', 'C:\\Data\\AI Fabric\\agent', [], false],
  ['win32', 'C:\\Data\\ai-fabric-agent', [WRAPPER], false],
  ['darwin', '/var/lib/ai-fabric-agent', [RECORD, UNIT], false],
] as const)('on %s, %s with %j there is a service’s: %s', (platform, stateDirectory, there, is) => {
  const isThere = (path: string): boolean => (there as readonly string[]).includes(path);
  expect(isServiceState({ platform, stateDirectory, roots, isThere })).toBe(is);
});
