import { describe, expect, it, test } from 'vitest';
import type { InstallRequest } from '../../install-steps.js';
import type { ProgramSource } from '../../program-source.js';
import type { LinuxFacts } from './linux-facts.js';
import type { LinuxStep, LinuxStepOf } from './linux-steps.js';
import { planLinuxInstall } from './plan-linux-install.js';

const BUILT_MS = Date.parse('2026-11-29T12:00:00Z');

const program: Extract<ProgramSource, { ok: true }> = {
  ...{ ok: true, path: '/tmp/release/ai-fabric-agent', version: '0.1.0', sha256: 'ab'.repeat(32), bytes: 9 },
  ...{ beside: ['/tmp/release/manifest.json'], proof: 'signed', builtAtMs: BUILT_MS },
};

const bare: LinuxFacts = {
  ...{
    isRoot: true,
    hasSystemd: true,
    systemdVersion: 252,
    polkit: 'reads_rules',
    hasGdbus: true,
    program,
    record: null,
    units: [],
    hasAccount: false,
  },
  ...{
    hasPolicy: false,
    hasKey: false,
    joined: null,
    joinedFault: null,
    machineSha256: '11'.repeat(32),
    taken: [],
    readOnly: [],
    room: [],
  },
  ...{ hasPodman: false, isPodmanEnabled: false, hasDocker: false, missingForRootless: [] },
  nowMs: BUILT_MS + 3_600_000,
};

const wish: InstallRequest = {
  ...{ server: 'https://motoko:8443', token: 'aifj_…', name: null, release: '/tmp/release' },
  ...{ engineAccess: null, dockerLogonTask: null, newIdentity: false, rejoin: false, allowDowngrade: false },
};
const nothing: InstallRequest = { ...wish, server: null, token: null };

const installed: LinuxFacts = {
  ...bare,
  ...{ hasAccount: true, hasPolicy: true, hasKey: true },
  joined: { serverUrl: 'https://motoko:8443', hostName: 'armitage' },
  record: {
    ...{ format: 1, version: '0.0.9', machineSha256: bare.machineSha256, engineAccess: 'group' },
    ...{ finished: true, made: [] },
  },
};

function stepsOf(facts: LinuxFacts, request = wish): readonly LinuxStep[] {
  const plan = planLinuxInstall(facts, request);
  if (!plan.ok) throw new Error(plan.refusals.map(({ code }) => code).join());
  return plan.steps;
}

function notesOf(facts: LinuxFacts, request = wish): string {
  const plan = planLinuxInstall(facts, request);
  return plan.ok ? plan.notes.join('\n') : '';
}

function refusalsOf(facts: LinuxFacts, request = wish): readonly string[] {
  const plan = planLinuxInstall(facts, request);
  return plan.ok ? [] : plan.refusals.map(({ code }) => code);
}

const kinds = (steps: readonly LinuxStep[]): string => steps.map(({ kind }) => kind).join(' ');

function find<Kind extends LinuxStep['kind']>(
  steps: readonly LinuxStep[],
  kind: Kind,
): readonly LinuxStepOf<Kind>[] {
  return steps.filter((step): step is LinuxStepOf<Kind> => step.kind === kind);
}

describe('a first install', () => {
  it('joins before it places anything, since a token can be refused, and starts last', () => {
    expect(kinds(stepsOf(bare))).toBe(
      'make_folder make_account make_folder store_key join make_folder place_program link link ' +
        'write_file write_file write_file write_file remove_file reload_systemd start_service',
    );
  });

  it('names the version by the program itself', () => {
    const [placed] = find(stepsOf(bare), 'place_program');
    expect(placed).toMatchObject({
      from: '/tmp/release/ai-fabric-agent',
      beside: ['/tmp/release/manifest.json'],
      folder: '/opt/ai-fabric-agent/versions/0.1.0-abababababab',
    });
  });

  it('links to what it placed; only the link for people may fail', () => {
    const links = find(stepsOf(bare), 'link').map(({ path, optional }) => [path, optional]);
    expect(links).toEqual([
      ['/opt/ai-fabric-agent/current', false],
      ['/usr/local/bin/ai-fabric-agent', true],
    ]);
  });

  it('gives nobody but root its settings to write, and nobody else to read', () => {
    const policy = find(stepsOf(bare), 'write_file').find(({ path }) => path.endsWith('agent.yaml'));
    expect(policy).toMatchObject({ mode: 0o640, group: 'ai-fabric-agent' });
    const state = find(stepsOf(bare), 'make_folder').find(({ path }) => path.startsWith('/var/lib'));
    expect(state).toMatchObject({ mode: 0o700, owner: 'ai-fabric-agent' });
  });

  it('leaves an account that was there before to whoever made it', () => {
    const made = (facts: LinuxFacts): boolean =>
      stepsOf(facts).some(({ makes }) => makes.some(({ kind }) => kind === 'account'));
    expect(made(bare)).toBe(true);
    expect(made({ ...bare, hasAccount: true })).toBe(false);
  });

  it('keeps what is the owner’s in an uninstall, and nothing else', () => {
    const kept = stepsOf({ ...bare, hasPodman: true, hasDocker: true })
      .flatMap(({ makes }) => makes)
      .filter((made) => made.kept)
      .map(({ what }) => what);
    expect(kept).toEqual(['/etc/ai-fabric-agent', 'ai-fabric-agent', '/var/lib/ai-fabric-agent']);
  });

  it('tells each step in words', () => {
    for (const { tells } of stepsOf(bare)) expect(tells).toMatch(/^[A-Z].{10,}[^.]$/);
  });
});

describe('an install again', () => {
  it('keeps key, settings and what was joined, and needs no token', () => {
    const steps = stepsOf(installed, nothing);
    expect(find(steps, 'join')).toEqual([]);
    expect(find(steps, 'stop_service')).toEqual([]);
    expect(find(steps, 'store_key')).toMatchObject([{ anew: false }]);
    expect(find(steps, 'write_file').some(({ path }) => path.endsWith('agent.yaml'))).toBe(false);
  });

  it('does not use up a token that comes along', () => {
    expect(find(stepsOf(installed), 'join')).toEqual([]);
  });

  it('is the same plan when it is asked for once more', () => {
    expect(planLinuxInstall(installed, nothing)).toEqual(planLinuxInstall(installed, nothing));
  });

  it('joins again where that is asked for, with the agent stopped meanwhile and its key kept', () => {
    const steps = stepsOf(installed, { ...wish, rejoin: true });
    expect(kinds(steps)).toContain('stop_service store_key join');
    expect(find(steps, 'join')).toMatchObject([{ rejoin: true }]);
    expect(find(steps, 'store_key')).toMatchObject([{ anew: false }]);
  });

  it('writes anew what was joined where that is damaged, with its key kept', () => {
    const damaged = { ...installed, joined: null, joinedFault: 'agent.json is damaged.' };
    expect(refusalsOf(damaged)).toEqual(['damaged_state']);
    const steps = stepsOf(damaged, { ...wish, rejoin: true });
    expect(kinds(steps)).toContain('stop_service store_key join');
    expect(find(steps, 'store_key')).toMatchObject([{ anew: false }]);
  });

  it('keeps how it comes to its container engine', () => {
    const record = installed.record && { ...installed.record, engineAccess: 'none' as const };
    const plan = planLinuxInstall({ ...installed, record, hasPodman: true }, nothing);
    expect(plan.ok && plan.facts.engineAccess).toBe('none');
  });

  it('does not join another control plane by the way', () => {
    const elsewhere = { ...wish, server: 'https://other:8443' };
    expect(refusalsOf(installed, elsewhere)).toEqual(['joined_elsewhere']);
    // The printed line always names a server, and takes options behind its pin.
    const plan = planLinuxInstall(installed, elsewhere);
    expect(plan.ok ? '' : plan.refusals[0]?.fix).toMatch(/--rejoin put behind its --pin/);
    expect(refusalsOf(installed, { ...wish, server: 'motoko' })).toEqual([]);
    expect(refusalsOf(installed, { ...wish, server: 'https://other:8443', rejoin: true })).toEqual([]);
  });
});

describe('what an install is refused for', () => {
  test.each<[string, Partial<LinuxFacts>, Partial<InstallRequest>, readonly string[]]>([
    ['a user who is not root', { isRoot: false }, {}, ['not_root']],
    ['no systemd', { hasSystemd: false }, {}, ['no_systemd']],
    ['neither', { hasSystemd: false, isRoot: false }, {}, ['no_systemd', 'not_root']],
    ['no control plane', {}, { server: null, token: null }, ['server_needed', 'token_needed']],
    ['no token', {}, { token: null }, ['token_needed']],
    ['a systemd that hands out no keys', { systemdVersion: 245 }, {}, ['old_systemd']],
    ['a systemd that does not say how old it is', { systemdVersion: null }, {}, []],
    ['a read-only /opt', { readOnly: ['/opt'] }, {}, ['read_only']],
    [
      'a service of that name',
      { units: [{ path: '/etc/systemd/system/ai-fabric-agent.service', isOurs: false }] },
      {},
      ['service_taken'],
    ],
    [
      'a link where a folder of ours is to be',
      { taken: [{ path: '/opt/ai-fabric-agent', is: 'a link to /srv/x' }] },
      {},
      ['folder_taken'],
    ],
    ['a full disk', { room: [{ path: '/opt', freeBytes: 10, neededBytes: 11 }] }, {}, ['no_space']],
    [
      'several of these, all at once',
      { readOnly: ['/opt'], room: [{ path: '/var/lib', freeBytes: 0, neededBytes: 1 }] },
      { token: null },
      ['read_only', 'no_space', 'token_needed'],
    ],
  ])('%s', (_what, facts, request, codes) => {
    expect(refusalsOf({ ...bare, ...facts }, { ...wish, ...request })).toEqual(codes);
  });

  it('a release that is not taken, in the words of whoever looked at it', () => {
    const refused: ProgramSource = {
      ok: false,
      code: 'release_refused',
      detail: 'It is tampered with.',
      fix: 'Again.',
    };
    const plan = planLinuxInstall({ ...bare, program: refused }, wish);
    expect(plan).toMatchObject({ refusals: [{ code: 'release_refused', detail: 'It is tampered with.' }] });
  });

  describe('an older version than the one that is here', () => {
    const programOf = (version: string): ProgramSource => ({ ...program, version });
    const made = [{ kind: 'tree', what: '/opt/ai-fabric-agent', kept: false }] as const;
    const has = (version: string): LinuxFacts => ({
      ...installed,
      record: installed.record && { ...installed.record, version, made: [...made] },
    });

    it.each([
      ['0.1.0', '0.9.0', ['older_version']],
      ['0.9.0-rc.1', '0.9.0', ['older_version']],
      ['0.9.0', '0.9.0', []],
      ['0.10.0', '0.9.0', []],
      ['newest', '0.9.0', []],
    ])('%s over %s: %j', (version, there, codes) => {
      expect(refusalsOf({ ...has(there), program: programOf(version) }, nothing)).toEqual(codes);
    });

    it('names both, and what mends it', () => {
      const plan = planLinuxInstall({ ...has('0.9.0'), program: programOf('0.1.0') }, nothing);
      expect(plan).toMatchObject({
        refusals: [
          {
            detail: 'Version 0.9.0 is installed here, and 0.1.0 is older.',
            fix: expect.stringMatching(
              /^Install 0\.9\.0 or a later one; .* with --allow-downgrade put behind .*$/,
            ),
          },
        ],
      });
    });

    it('is placed where that is asked for', () => {
      const facts = { ...has('0.9.0'), program: programOf('0.1.0') };
      expect(refusalsOf(facts, { ...nothing, allowDowngrade: true })).toEqual([]);
    });

    it('is nothing where no program is there any more: an uninstall leaves a record, too', () => {
      const facts = { ...has('0.9.0'), program: programOf('0.1.0') };
      const record = facts.record && {
        ...facts.record,
        made: [{ kind: 'tree', what: '/etc/ai-fabric-agent', kept: true } as const],
      };
      expect(refusalsOf({ ...facts, record }, nothing)).toEqual([]);
    });
  });

  it('a unit of ours is none of these, and room that is just enough neither', () => {
    const units = [{ path: '/etc/systemd/system/ai-fabric-agent.service', isOurs: true }];
    expect(refusalsOf({ ...bare, units, room: [{ path: '/opt', freeBytes: 11, neededBytes: 11 }] })).toEqual(
      [],
    );
  });

  it('tells what mends it, each time', () => {
    const plan = planLinuxInstall({ ...bare, hasSystemd: false, readOnly: ['/opt'] }, nothing);
    if (plan.ok) throw new Error('it is not refused');
    for (const { detail, fix } of plan.refusals) {
      expect(detail).toMatch(/\.$/);
      expect(fix.length).toBeGreaterThan(10);
    }
  });
});

describe('a disk that was copied', () => {
  const copy = { ...installed, machineSha256: '22'.repeat(32) };

  it('needs an identity of its own, token or not', () => {
    expect(refusalsOf(copy, nothing)).toEqual(['cloned_machine']);
    expect(refusalsOf(copy)).toEqual(['cloned_machine']);
    expect(refusalsOf(copy, { ...wish, rejoin: true })).toEqual(['cloned_machine']);
  });

  it('gets one when it is asked for, with a token', () => {
    const steps = stepsOf(copy, { ...wish, newIdentity: true });
    expect(kinds(steps)).toContain('stop_service store_key join');
    expect(find(steps, 'store_key')).toMatchObject([{ anew: true }]);
    expect(refusalsOf(copy, { ...wish, newIdentity: true, token: null })).toEqual(['token_needed']);
  });

  it('is not seen in a machine whose id cannot be read, or of which none was noted', () => {
    expect(refusalsOf({ ...installed, machineSha256: null }, nothing)).toEqual([]);
    const record = installed.record && { ...installed.record, machineSha256: null };
    expect(refusalsOf({ ...copy, record }, nothing)).toEqual([]);
  });
});

it('refuses a container engine that cannot be had', () => {
  const rootless = { ...wish, engineAccess: 'rootless' } as const;
  expect(refusalsOf({ ...bare, missingForRootless: ['uidmap'] }, rootless)).toEqual(['rootless_incomplete']);
  expect(refusalsOf(bare, rootless)).toEqual([]);
});

describe('what whoever installs should know', () => {
  it('is that nothing was signed', () => {
    expect(notesOf({ ...bare, program: { ...program, proof: 'development_build' } })).toMatch(
      /development build/,
    );
    expect(notesOf(bare)).not.toMatch(/development build/);
  });

  it('is that nothing proves a released program without its manifest, with what does', () => {
    const notes = notesOf({ ...bare, program: { ...program, proof: 'no_manifest' } });
    expect(notes).toMatch(/No manifest\.json lies beside .*token create/);
    expect(notes).not.toMatch(/development build/);
  });

  it('is that nothing lets the agent ask root for anything', () => {
    const without: LinuxFacts = { ...bare, polkit: 'none' };
    expect(notesOf(without)).toMatch(/polkit is not installed/);
    expect(find(stepsOf(without), 'write_file').some(({ path }) => path.includes('polkit'))).toBe(false);
  });

  it('is that nobody tells of suspends', () => {
    expect(notesOf({ ...bare, hasGdbus: false })).toMatch(/gdbus is not installed/);
  });

  test.each([
    ['years behind', '2001-01-01T00:00:00Z', true],
    ['three days behind', '2026-11-26T00:00:00Z', true],
    ['a time zone behind', '2026-11-29T00:00:00Z', false],
    ['a year after', '2027-11-29T00:00:00Z', false],
    ['fifty years ahead', '2076-01-01T00:00:00Z', true],
  ])('is a clock that is %s', (_what, now, isTold) => {
    expect(/clock of this machine/.test(notesOf({ ...bare, nowMs: Date.parse(now) }))).toBe(isTold);
  });

  it('is nothing of the clock where no manifest tells when the program was made', () => {
    const untold = { ...program, builtAtMs: null };
    expect(notesOf({ ...bare, program: untold, nowMs: 0 })).not.toMatch(/clock/);
  });
});
