import { describe, expect, it } from 'vitest';
import { PLACES } from '../service-places.js';
import { EMPTY_MACHINE, INSTALLED_MACHINE, RECORD } from '../testing/service-facts.js';
import { type InstallWishes, noteCommand, planInstall } from './plan-install.js';
import type { ServiceFacts } from './service-facts.js';
import { describeStep } from './service-step.js';

const MIB = 1024 * 1024;
const WISHES: InstallWishes = {
  offered: { version: '0.1.0', folder: '0.1.0-aaaa', bytes: 150 * MIB },
  variables: {},
  unknownHosts: [],
  backupFile: `${PLACES.backups}/before.backup`,
};
const NEWER: InstallWishes = {
  ...WISHES,
  offered: { version: '0.2.0', folder: '0.2.0-bbbb', bytes: 150 * MIB },
};

function planned(facts: ServiceFacts, wishes: InstallWishes = WISHES) {
  const plan = planInstall(facts, wishes);
  if (!plan.ok) throw new Error(plan.refusal.message);
  return { ...plan, kinds: plan.steps.map(({ kind }) => kind) };
}

function refusal(facts: ServiceFacts, wishes: InstallWishes = WISHES) {
  const plan = planInstall(facts, wishes);
  if (plan.ok) throw new Error('it is not refused');
  return plan.refusal;
}

describe('an installation', () => {
  it('makes all that is needed, and starts it last', () => {
    const { kind, kinds, from } = planned(EMPTY_MACHINE);
    expect({ kind, from }).toEqual({ kind: 'install', from: null });
    expect(kinds).toEqual([
      ...['make_directory', 'make_user', 'make_directory', 'make_directory', 'make_directory'],
      ...['place_version', 'write_starter', 'set_variables', 'link_command'],
      ...['switch', 'write_unit', 'enable', 'start', 'prove', 'note_done'],
    ]);
  });

  it('begins with the directory in which it writes down what it made', () => {
    expect(planned(EMPTY_MACHINE).steps[0]).toMatchObject({ kind: 'make_directory', path: PLACES.settings });
  });

  it('overwrites no configuration, and uses a user and directories that are there', () => {
    const { kinds } = planned({
      ...EMPTY_MACHINE,
      account: { uid: 998, gid: 998 },
      directoriesThere: [PLACES.settings, PLACES.data],
      settingsThere: { fabricFile: true, variables: 'AI_FABRIC_PORT=8100\n' },
    });
    expect(kinds).not.toContain('write_starter');
    expect(kinds).not.toContain('set_variables');
    expect(kinds).not.toContain('make_user');
    expect(kinds.filter((kind) => kind === 'make_directory')).toHaveLength(2);
  });

  it('sets a variable only where a flag says so and it says something else', () => {
    const settings = { fabricFile: true, variables: 'AI_FABRIC_PORT=8100\n' };
    const asked = (port: string) =>
      planned(
        { ...INSTALLED_MACHINE, settingsThere: settings },
        { ...WISHES, variables: { AI_FABRIC_PORT: port } },
      );
    expect(asked('8100').kinds).not.toContain('set_variables');
    expect(asked('8200').steps).toContainEqual({
      kind: 'set_variables',
      changes: { AI_FABRIC_PORT: '8200' },
    });
  });

  it('into an image starts nothing', () => {
    const { kinds } = planned({ ...EMPTY_MACHINE, systemd: false, isImage: true });
    expect(kinds).toContain('enable');
    expect(kinds).not.toContain('start');
    expect(kinds).not.toContain('prove');
  });

  it('can be told step by step', () => {
    const texts = planned(EMPTY_MACHINE, { ...WISHES, variables: { AI_FABRIC_PORT: '8100' } }).steps.map(
      describeStep,
    );
    expect(texts.filter((text) => text === null)).toHaveLength(1);
    expect(texts).toContain('make /var/lib/ai-fabric (ai-fabric, 700)');
    expect(texts).toContain('set AI_FABRIC_PORT=8100 in /etc/ai-fabric/control-plane.env');
  });
});

describe('the same version again', () => {
  it('repairs what is missing, and lets the service run on where nothing changes', () => {
    const { kind, kinds } = planned(INSTALLED_MACHINE);
    expect(kind).toBe('repair');
    expect(kinds).toEqual(['place_version', 'switch', 'write_unit', 'enable', 'start', 'prove', 'note_done']);
  });

  it('restarts it where a setting or its unit changes', () => {
    const unit = { ...INSTALLED_MACHINE.unit, isAsOffered: false };
    expect(planned({ ...INSTALLED_MACHINE, unit }).kinds).toContain('stop');
    const variables = { AI_FABRIC_PORT: '8100' };
    expect(planned(INSTALLED_MACHINE, { ...WISHES, variables }).kinds).toContain('stop');
  });
});

describe('an upgrade', () => {
  it('is written down, stops, backs up and only then switches', () => {
    const { kind, kinds, from } = planned(INSTALLED_MACHINE, NEWER);
    expect(kind).toBe('upgrade');
    expect(from).toEqual({ version: '0.1.0', folder: '0.1.0-aaaa', schema: 7, backup: WISHES.backupFile });
    expect(kinds).toEqual([
      ...['place_version', 'note_upgrade', 'stop', 'back_up', 'switch', 'write_unit', 'enable'],
      ...['start', 'prove', 'note_done'],
    ]);
  });

  it('of one that does not run backs up as well', () => {
    const { kinds } = planned(
      { ...INSTALLED_MACHINE, unit: { ...INSTALLED_MACHINE.unit, active: false } },
      NEWER,
    );
    expect(kinds).not.toContain('stop');
    expect(kinds).toContain('back_up');
  });

  it('of one that never had a registry has nothing to back up', () => {
    const { kinds, from } = planned({ ...INSTALLED_MACHINE, registry: { kind: 'none' } }, NEWER);
    expect(kinds).not.toContain('back_up');
    expect(from).toMatchObject({ schema: null, backup: null });
  });

  it('keeps the version before, and no older one; the newest backups, and no older ones', () => {
    const backups = ['1', '2', '3'].map((each) => `${PLACES.backups}/${each}.backup`);
    const versionsThere = ['0.0.8-x', '0.0.9-y', '0.1.0-aaaa'];
    const { steps } = planned({ ...INSTALLED_MACHINE, versionsThere, backupsThere: backups }, NEWER);
    expect(steps).toContainEqual({ kind: 'drop_versions', folders: ['0.0.8-x', '0.0.9-y'] });
    expect(steps).toContainEqual({ kind: 'drop_backups', files: backups.slice(0, 1) });
  });

  it('to another build of the same version is one', () => {
    const offered = { ...WISHES.offered, folder: '0.1.0-cccc' };
    expect(planned(INSTALLED_MACHINE, { ...WISHES, offered }).kind).toBe('upgrade');
  });
});

describe('nothing is done', () => {
  const foreign = {
    ...EMPTY_MACHINE.unit,
    kind: 'foreign',
    path: '/lib/systemd/system/ai-fabric.service',
  } as const;
  const taken = { port: 8000, processId: 12, program: 'nginx', unit: 'nginx.service' };

  it.each<[string, Partial<ServiceFacts>, object]>([
    ['by another than root', { isRoot: false }, { code: 'not_root', fix: 'run it with sudo' }],
    ['without systemd', { systemd: false }, { code: 'no_systemd' }],
    ['where a service of that name is somebody else’s', { unit: foreign }, { code: 'service_is_foreign' }],
    [
      'where a port is taken',
      { holders: [taken] },
      { code: 'port_taken', message: 'port 8000 is taken by nginx (process 12, nginx.service)' },
    ],
    [
      'where there is no room for the program',
      { freeBytes: { program: 100 * MIB, data: null } },
      { code: 'no_space', message: 'the disk of /opt/ai-fabric has 100 MiB free; 200 MiB are needed' },
    ],
    [
      'with a registry of a newer program',
      { registry: { kind: 'refused', detail: 'has schema 9', fix: 'start a newer one' } },
      { code: 'registry_refused', message: 'has schema 9', fix: 'start a newer one' },
    ],
  ])('%s', (_, facts, expected) => {
    expect(refusal({ ...EMPTY_MACHINE, ...facts })).toMatchObject(expected);
  });

  it('where the archive is older than what is installed; the way back is named', () => {
    const current = { version: '0.2.0', folder: '0.2.0-bbbb' };
    const previous = { version: '0.1.0', folder: '0.1.0-aaaa', schema: 7, backup: null };
    const facts = { ...INSTALLED_MACHINE, record: { ...RECORD, current, previous } };
    expect(refusal(facts)).toEqual({
      code: 'older_version',
      message: '0.2.0 is installed; this archive holds 0.1.0, which is older',
      fix: '"--rollback" returns to 0.1.0, which was there before',
    });
  });

  it('where a LiteLLM proxy has the port: the way to replace it is named', () => {
    const holder = { port: 8000, processId: 12, program: 'litellm', unit: null };
    expect(refusal({ ...EMPTY_MACHINE, holders: [holder] })).toMatchObject({
      fix: expect.stringContaining('--replace-litellm'),
    });
  });

  it('where the disk has no room for the backup', () => {
    const facts: ServiceFacts = {
      ...INSTALLED_MACHINE,
      registry: { kind: 'sound', schema: 7, bytes: 400 * MIB },
      freeBytes: { program: null, data: 500 * MIB },
    };
    expect(refusal(facts, NEWER)).toMatchObject({ code: 'no_space' });
  });
});

describe('the command', () => {
  it('is told of where it cannot be linked', () => {
    expect(noteCommand('read_only')).toContain('/usr cannot be written');
    expect(noteCommand('foreign')).toContain('somebody else');
    expect(noteCommand('ours')).toBeNull();
    expect(planned({ ...EMPTY_MACHINE, command: 'read_only' }).kinds).not.toContain('link_command');
  });
});
