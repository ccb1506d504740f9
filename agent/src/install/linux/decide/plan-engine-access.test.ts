import { describe, expect, it } from 'vitest';
import type { EngineAccess, Made } from '../../install-steps.js';
import type { LinuxFacts } from './linux-facts.js';
import type { LinuxStep, LinuxStepOf } from './linux-steps.js';
import { chooseAccess, engineNotes, engineRefusals, engineSteps } from './plan-engine-access.js';

const nothing: LinuxFacts = {
  ...{ isRoot: true, hasSystemd: true, systemdVersion: 252, polkit: 'reads_rules', hasGdbus: true },
  ...{ record: null, units: [], nowMs: 0, taken: [] },
  ...{
    hasAccount: false,
    hasPolicy: false,
    hasKey: false,
    joined: null,
    joinedFault: null,
    machineSha256: null,
    readOnly: [],
  },
  program: { ok: false, code: 'program_missing', detail: '', fix: '' },
  ...{ room: [], hasPodman: false, isPodmanEnabled: false, hasDocker: false, missingForRootless: [] },
};
const engines: LinuxFacts = { ...nothing, hasPodman: true, hasDocker: true };
const DROP_IN = '/etc/systemd/system/podman.socket.d/50-ai-fabric-agent.conf';
const OPENED: readonly Made[] = [
  { kind: 'file', what: DROP_IN, kept: false },
  { kind: 'membership', what: 'ai-fabric-agent:docker', kept: false },
];
const LINGERS: readonly Made[] = [{ kind: 'lingering', what: 'ai-fabric-agent', kept: false }];

const after = (engineAccess: EngineAccess, made: readonly Made[]): LinuxFacts => ({
  ...engines,
  record: { format: 1, version: '0.1.0', machineSha256: null, engineAccess, finished: true, made: [...made] },
});
const find = <Kind extends LinuxStep['kind']>(
  steps: readonly LinuxStep[],
  kind: Kind,
): readonly LinuxStepOf<Kind>[] => steps.filter((step): step is LinuxStepOf<Kind> => step.kind === kind);
const kinds = (steps: readonly LinuxStep[]): readonly string[] => steps.map(({ kind }) => kind);

describe('the container engine', () => {
  it.each([
    [null, null, 'group'],
    ['rootless', null, 'rootless'],
    ['rootless', 'none', 'none'],
  ] as const)(
    'is reached as before (%s), unless somebody says otherwise (%s): %s',
    (before, asked, access) => {
      const facts = before === null ? engines : after(before, []);
      expect(chooseAccess(facts, { engineAccess: asked })).toBe(access);
    },
  );

  it('is open to the agent by group, and the rights are named', () => {
    const steps = engineSteps(engines, 'group');
    expect(find(steps, 'write_file').map(({ path }) => path)).toEqual([DROP_IN]);
    expect(find(steps, 'restart_socket')).toMatchObject([{ unit: 'podman.socket' }]);
    expect(find(steps, 'join_group')).toMatchObject([{ group: 'docker' }]);
    const notes = engineNotes(engines, 'group').join();
    expect(notes).toMatch(/as good as root on this machine/);
    expect(notes).toMatch(/--podman-socket rootless or none/);
  });

  it('is told of where there is none', () => {
    expect(engineNotes(nothing, 'group').join()).toMatch(/neither Podman nor Docker/);
    expect(engineNotes(nothing, 'group').join()).not.toMatch(/as good as root/);
  });

  it('has its socket switched off again only where an install switched it on', () => {
    const made = (facts: LinuxFacts): boolean =>
      engineSteps(facts, 'group').some(({ makes }) => makes.some(({ what }) => what === 'podman.socket'));
    expect(made(engines)).toBe(true);
    expect(made({ ...engines, isPodmanEnabled: true })).toBe(false);
  });

  it('is closed to the agent where that is asked for, whatever was before', () => {
    const steps = engineSteps(engines, 'none');
    expect(find(steps, 'remove_file').map(({ path }) => path)).toEqual([
      DROP_IN,
      '/etc/systemd/system/ai-fabric-agent.service.d/50-container-engine.conf',
    ]);
    expect(find(steps, 'leave_group')).toMatchObject([{ group: 'docker' }]);
    expect(find(steps, 'join_group')).toEqual([]);
    expect(find(steps, 'restart_socket')).toMatchObject([]);
  });
});

describe('a Podman of the agent’s own user', () => {
  it('is there where that is asked for', () => {
    const steps = engineSteps(engines, 'rootless');
    expect(find(steps, 'open_rootless_podman')).toHaveLength(1);
    expect(find(steps, 'join_group')).toEqual([]);
    expect(steps.flatMap(({ makes }) => makes).map(({ kind }) => kind)).toContain('lingering');
  });

  it('is refused where something that it needs is missing, with what brings it', () => {
    const facts = { ...engines, missingForRootless: ['uidmap', 'slirp4netns'] };
    expect(engineRefusals(facts, 'rootless')).toMatchObject([
      {
        code: 'rootless_incomplete',
        fix: expect.stringMatching(/^sudo apt-get install uidmap slirp4netns,/),
      },
    ]);
    expect(engineRefusals(facts, 'group')).toEqual([]);
    expect(engineRefusals(engines, 'rootless')).toEqual([]);
  });
});

/** Whatever still runs there keeps its card, and nobody would end it. */
describe('an engine that the agent is to use no longer', () => {
  it.each(['group', 'none'] as const)(
    'ends with its containers, where it is the agent’s own: %s',
    (access) => {
      const facts = after('rootless', LINGERS);
      const steps = engineSteps(facts, access);
      expect(kinds(steps).slice(0, 2)).toEqual(['stop_service', 'end_rootless_podman']);
      expect(find(steps, 'end_rootless_podman')).toMatchObject([{ unmakes: LINGERS }]);
      expect(engineNotes(facts, access).join()).toContain('/var/lib/ai-fabric-agent/.local/share/containers');
    },
  );

  it.each([
    ['rootless', OPENED],
    ['none', OPENED],
    ['none', OPENED.slice(0, 1)],
    ['none', OPENED.slice(1)],
  ] as const)('has none of the agent’s containers run, where it is root’s: %s', (access, made) => {
    const steps = engineSteps(after('group', made), access);
    expect(kinds(steps).slice(0, 2)).toEqual(['stop_service', 'end_containers']);
    expect(find(steps, 'end_containers')).toMatchObject([{ unmakes: OPENED }]);
  });

  it.each([
    ['rootless', LINGERS],
    ['group', OPENED],
    ['none', []],
  ] as const)('is none of those that it used before and goes on with: %s', (access, made) => {
    const done = kinds(engineSteps(after(access, made), access));
    for (const kind of ['stop_service', 'end_containers', 'end_rootless_podman']) {
      expect(done).not.toContain(kind);
    }
  });
});
