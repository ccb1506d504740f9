import { expect, test } from 'vitest';
import { chooseStateDirectory, type StateDirectoryFacts } from './choose-state-directory.js';

const facts: StateDirectoryFacts = {
  platform: 'linux',
  isInstalled: false,
  isRoot: false,
  homeDirectory: '/home/anna',
  xdgStateHome: undefined,
  programData: undefined,
};

test.each<[string, Partial<StateDirectoryFacts>, string]>([
  ['root on Linux', { isRoot: true }, '/var/lib/ai-fabric-agent'],
  ['a user on Linux where an agent is a service', { isInstalled: true }, '/var/lib/ai-fabric-agent'],
  ['a user on Linux', {}, '/home/anna/.local/state/ai-fabric-agent'],
  ['a user with XDG_STATE_HOME', { xdgStateHome: '/state' }, '/state/ai-fabric-agent'],
  ['a relative XDG_STATE_HOME', { xdgStateHome: 'state' }, '/home/anna/.local/state/ai-fabric-agent'],
  ['Windows', { platform: 'win32', programData: 'D:\\Data' }, 'D:\\Data\\ai-fabric-agent'],
  [
    'Windows where an agent is a service',
    { platform: 'win32', isInstalled: true },
    'C:\\ProgramData\\AI Fabric\\agent',
  ],
  ['Windows without the variable', { platform: 'win32' }, 'C:\\ProgramData\\ai-fabric-agent'],
  ['root on macOS', { platform: 'darwin', isRoot: true }, '/home/anna/.local/state/ai-fabric-agent'],
])('%s keeps its state in its own place', (_who, changed, expected) => {
  expect(chooseStateDirectory({ ...facts, ...changed })).toBe(expected);
});
