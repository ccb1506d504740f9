import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enrolled, TemporaryRegistry } from '../../registry/testing/temporary-registry.js';
import { installService } from './install-service.js';
import { readRecord } from './record-book.js';
import { rollBackService } from './rollback-service.js';
import { PLACES } from './service-places.js';
import { PretendMachine } from './testing/pretend-machine.js';
import { uninstallService } from './uninstall-service.js';

let machine: PretendMachine;

beforeEach(() => {
  machine = new PretendMachine();
});
afterEach(() => machine.remove());

const install = (version: string, variables: Record<string, string> = {}) =>
  installService(machine, {
    ...{ archive: machine.archive(version), version, variables, dryRun: false, waitMs: 2_000 },
  });
const rollBack = (registry = false) => rollBackService(machine, { registry, dryRun: false, waitMs: 2_000 });
const uninstall = (purge: boolean) => uninstallService(machine, { purge, dryRun: false });
const record = () => readRecord(machine);
const read = (path: string) => readFileSync(machine.at(path), 'utf8');
const ranSince = (from: number) =>
  machine.ran.slice(from).filter((line) => !line.startsWith('systemctl show'));

/** A registry of this program, as a control plane leaves one. */
async function leaveRegistry(): Promise<void> {
  const place = new TemporaryRegistry();
  enrolled(place.open());
  await place.close();
  writeFileSync(machine.at(`${PLACES.data}/registry.sqlite`), readFileSync(place.file));
  await place.remove();
}

describe('an installation', () => {
  it('leaves a version that runs, settings that nobody overwrites, and a record of what it made', async () => {
    const { kind, folder, proof } = await install('0.1.0', { AI_FABRIC_PORT: '8100' });
    expect(kind).toBe('install');
    expect(proof).toMatchObject({ ok: true });
    expect(machine.current).toBe(folder);
    expect(folder).toMatch(/^0\.1\.0-[0-9a-f]{12}$/);
    expect(read(PLACES.fabricFile)).toContain('version: 1');
    expect(read(PLACES.variables)).toContain('\nAI_FABRIC_PORT=8100\n');
    expect(statSync(machine.at(PLACES.variables)).mode & 0o777).toBe(0o600);
    expect(read(PLACES.unit)).toContain('Description=0.1.0');
    expect(record()).toMatchObject({ current: { version: '0.1.0', folder }, previous: null, upgrade: null });
    expect(record()?.made).toEqual(
      expect.arrayContaining([
        'user',
        PLACES.settings,
        PLACES.data,
        PLACES.program,
        PLACES.unit,
        PLACES.command,
      ]),
    );
    expect(machine.enabled && machine.active).toBe(true);
  });

  it('again changes nothing, and does not restart', async () => {
    await install('0.1.0');
    appendFileSync(machine.at(PLACES.fabricFile), '# mine\n');
    const before = machine.ran.length;
    const { kind } = await install('0.1.0');
    expect(kind).toBe('repair');
    expect(ranSince(before).join('\n')).not.toContain('systemctl stop');
    expect(read(PLACES.fabricFile)).toContain('# mine');
  });

  it('again puts back what is missing or was changed', async () => {
    const { folder } = await install('0.1.0');
    const program = join(PLACES.versions, folder, 'bin/ai-fabric');
    writeFileSync(machine.at(program), 'spoilt');
    await install('0.1.0');
    expect(read(program)).toContain('#!/bin/sh');
  });

  it('of an archive that was tampered with is refused before anything is made', async () => {
    const archive = machine.archive('0.1.0');
    appendFileSync(join(archive, 'bin/ai-fabric'), 'rm -rf /\n');
    writeFileSync(join(archive, 'more'), '');
    const options = { archive, version: '0.1.0', variables: {}, dryRun: false, waitMs: 1 };
    await expect(installService(machine, options)).rejects.toMatchObject({
      message: expect.stringMatching(/bin\/ai-fabric is not what it was; more does not belong to it/),
      exitCode: 4,
    });
    expect(existsSync(machine.at(PLACES.settings))).toBe(false);
  });

  it('that is only tried changes nothing and names all that it would do', async () => {
    const archive = machine.archive('0.1.0');
    const before = readdirSync(machine.at('/'), { recursive: true }).length;
    const tried = await installService(machine, {
      ...{ archive, version: '0.1.0', variables: {}, dryRun: true, waitMs: 1 },
    });
    expect(tried.steps).toContain('start ai-fabric.service');
    expect(readdirSync(machine.at('/'), { recursive: true })).toHaveLength(before);
  });

  it('that does not come up says why, and a later one completes it', async () => {
    const { folder } = await install('0.1.0');
    machine.active = false;
    machine.broken.add(folder);
    await expect(install('0.1.0')).rejects.toThrow(
      'ai-fabric.service did not come up: it does not answer after 2 s',
    );
    machine.broken.clear();
    await install('0.1.0');
    expect(record()).toMatchObject({ current: { folder } });
  });

  it('again with settings that it does not come up with has those of before, and runs', async () => {
    const { folder } = await install('0.1.0', { AI_FABRIC_PORT: '8100' });
    machine.onStart = () => {
      if (read(PLACES.variables).includes('=8200')) machine.broken.add(folder);
      else machine.broken.clear();
    };
    await expect(install('0.1.0', { AI_FABRIC_PORT: '8200' })).rejects.toThrow(
      /does not answer after 2 s(?:.|\n)*runs again, with the settings of before/,
    );
    expect(read(PLACES.variables)).toContain('\nAI_FABRIC_PORT=8100\n');
    expect(machine.active).toBe(true);
  });

  it('where a link is in the place of a directory of its own is refused', async () => {
    symlinkSync('/srv/x', machine.at(PLACES.data));
    await expect(install('0.1.0')).rejects.toMatchObject({
      details: { code: 'folder_taken' },
      fix: expect.stringContaining(`mount --bind /srv/x ${PLACES.data}`),
    });
    expect(existsSync(machine.at(PLACES.settings))).toBe(false);
  });

  it('on a name that nobody knows is refused, and on an address that is not there yet is not', async () => {
    await expect(install('0.1.0', { AI_FABRIC_HOST: '127.0.0.1,bogus' })).rejects.toMatchObject({
      ...{
        message: 'this machine knows no address of bogus',
        details: { code: 'host_unknown' },
        exitCode: 4,
      },
    });
    expect(existsSync(machine.at(PLACES.settings))).toBe(false);
    await install('0.1.0', { AI_FABRIC_HOST: '127.0.0.1,fd7a::1,100.64.1.2,motoko' });
  });

  it('by a record that cannot be read is refused: nothing is guessed', async () => {
    mkdirSync(machine.at(PLACES.settings));
    writeFileSync(machine.at(PLACES.record), '{"format":2}');
    await expect(install('0.1.0')).rejects.toThrow(/installed\.json is damaged, or of a newer installer/);
  });
});

describe('an upgrade', () => {
  it('backs the registry up as its user with the newer program, and only then switches', async () => {
    await install('0.1.0');
    await leaveRegistry();
    const before = machine.ran.length;
    const { folder } = await install('0.2.0');
    const ran = ranSince(before);
    const at = (part: string) => ran.findIndex((line) => line.includes(part));
    expect(at('systemctl stop')).toBeGreaterThanOrEqual(0);
    expect(at(`${folder}/bin/ai-fabric backup`)).toBeGreaterThan(at('systemctl stop'));
    expect(at('systemctl start')).toBeGreaterThan(at('/bin/ai-fabric backup'));
    expect(machine.current).toBe(folder);
    expect(record()).toMatchObject({
      current: { version: '0.2.0' },
      previous: { version: '0.1.0' },
      upgrade: null,
    });
    expect(read(PLACES.unit)).toContain('Description=0.2.0');
  });

  it('that does not come up goes back, and leaves a registry alone that it did not change', async () => {
    const { folder: former } = await install('0.1.0');
    await leaveRegistry();
    machine.onStart = (folder) => {
      if (folder !== former) machine.broken.add(folder);
    };
    await expect(install('0.2.0')).rejects.toThrow(/0\.1\.0 runs again, and its registry is untouched/);
    expect(machine.current).toBe(former);
    expect(machine.active).toBe(true);
    expect(read(PLACES.unit)).toContain('Description=0.1.0');
    expect(machine.ran.join('\n')).not.toContain('ai-fabric restore');
    expect(record()).toMatchObject({ current: { folder: former }, upgrade: null });
  });

  it('that changed the registry and does not come up puts the registry back with the version before', async () => {
    const { folder: former } = await install('0.1.0');
    await leaveRegistry();
    machine.onStart = (folder) => {
      if (folder === former) return;
      machine.broken.add(folder);
      // As a newer program leaves it: this one cannot read it.
      writeFileSync(machine.at(`${PLACES.data}/registry.sqlite`), 'of a newer form');
    };
    await expect(install('0.2.0')).rejects.toThrow(/0\.1\.0 runs again, with its registry as it was before/);
    const restored = machine.ran.find((line) => line.includes('/bin/ai-fabric restore'));
    expect(restored).toContain(`versions/${former}/bin/ai-fabric restore ${PLACES.backups}/before-0.2.0-`);
    expect(machine.current).toBe(former);
  });

  it('that was cut off goes back with the next run where it does not answer, and stays where it does', async () => {
    const { folder: former } = await install('0.1.0');
    await leaveRegistry();
    const { folder } = await install('0.2.0');
    const cutOff = () => {
      const from = { version: '0.1.0', folder: former, schema: null, backup: null };
      const now = { ...record(), current: { version: '0.1.0', folder: former }, previous: null };
      writeFileSync(
        machine.at(PLACES.record),
        JSON.stringify({ ...now, upgrade: { from, to: { version: '0.2.0', folder } } }),
      );
    };
    cutOff();
    await install('0.2.0');
    expect(record()).toMatchObject({ current: { folder }, previous: { folder: former }, upgrade: null });
    cutOff();
    machine.active = false;
    machine.broken.add(folder);
    await expect(install('0.2.0')).rejects.toThrow(/0\.1\.0 runs again/);
    expect(machine.current).toBe(former);
  });

  it('that does not come up has the settings of before, too', async () => {
    const { folder: former } = await install('0.1.0', { AI_FABRIC_PORT: '8100' });
    machine.onStart = (folder) => {
      if (folder !== former) machine.broken.add(folder);
    };
    await expect(install('0.2.0', { AI_FABRIC_PORT: '8200' })).rejects.toThrow(/0\.1\.0 runs again/);
    expect(read(PLACES.variables)).toContain('\nAI_FABRIC_PORT=8100\n');
  });

  it('to an older version is refused', async () => {
    await install('0.2.0');
    await expect(install('0.1.0')).rejects.toMatchObject({ details: { code: 'older_version' }, exitCode: 4 });
    expect(record()).toMatchObject({ current: { version: '0.2.0' } });
  });
});

describe('somebody who is not root', () => {
  it('is told so, whatever they may not read', async () => {
    await install('0.1.0');
    rmSync(machine.at(PLACES.variables));
    mkdirSync(machine.at(PLACES.variables));
    machine.isRoot = false;
    for (const attempt of [install('0.2.0'), rollBack(), uninstall(true)]) {
      await expect(attempt).rejects.toMatchObject({ details: { code: 'not_root' }, fix: 'run it with sudo' });
    }
  });
});

describe('an interruption', () => {
  it('of an installation leaves what the next one goes on with', async () => {
    machine.interruptedBy = 'useradd';
    await expect(install('0.1.0')).rejects.toMatchObject({ details: { code: 'interrupted' }, exitCode: 1 });
    expect([existsSync(machine.at(PLACES.unit)), record()?.made]).toEqual([
      false,
      expect.arrayContaining(['user']),
    ]);
    await install('0.1.0');
    expect(machine.active).toBe(true);
  });

  it('of a repair lets the service run again that it stopped', async () => {
    await install('0.1.0');
    machine.ran.length = 0;
    machine.interruptedBy = 'systemctl stop';
    const changed = install('0.1.0', { AI_FABRIC_PORT: '8100' });
    await expect(changed).rejects.toMatchObject({ details: { code: 'interrupted' } });
    expect(machine.active).toBe(true);
  });

  it.each(['systemctl stop', 'bin/ai-fabric backup', 'systemctl start'])(
    'of an upgrade goes back, and waits for the version before: %s',
    async (interruptedBy) => {
      const { folder: former } = await install('0.1.0');
      await leaveRegistry();
      machine.ran.length = 0;
      machine.interruptedBy = interruptedBy;
      machine.onStart = (folder) => {
        if (folder !== former) machine.broken.add(folder);
      };
      await expect(install('0.2.0')).rejects.toThrow(/interrupted(?:.|\n)*0\.1\.0 runs again/);
      expect([machine.current, machine.active]).toEqual([former, true]);
      expect(record()).toMatchObject({ current: { folder: former }, upgrade: null });
    },
  );

  it('once the newer version answers is too late', async () => {
    await install('0.1.0');
    machine.ran.length = 0;
    machine.interruptedBy = 'systemctl start';
    const { folder } = await install('0.2.0');
    expect([machine.current, record()?.upgrade]).toEqual([folder, null]);
  });
});

describe('a rollback', () => {
  it('returns to the version before, once', async () => {
    const { folder: former } = await install('0.1.0');
    await leaveRegistry();
    await install('0.2.0');
    expect(await rollBack()).toMatchObject({ from: '0.2.0', to: '0.1.0', restoredRegistry: false });
    expect(machine.current).toBe(former);
    expect(machine.ran.join('\n')).not.toContain('ai-fabric restore');
    await expect(rollBack()).rejects.toMatchObject({ details: { code: 'no_earlier_version' } });
  });

  it('puts the registry back on demand', async () => {
    await install('0.1.0');
    await leaveRegistry();
    await install('0.2.0');
    expect(await rollBack(true)).toMatchObject({ restoredRegistry: true });
    expect(machine.ran.join('\n')).toContain('ai-fabric restore');
  });
});

describe('uninstalling', () => {
  it('leaves configuration and data, and later removes these too', async () => {
    await install('0.1.0');
    writeFileSync(machine.at('/etc/ai-fabric/mine.key'), 'mine');
    mkdirSync(machine.at(PLACES.dropIns));
    writeFileSync(machine.at(`${PLACES.dropIns}/override.conf`), '[Service]\n');
    const { stays } = await uninstall(false);
    const dropIn = `${PLACES.dropIns}/override.conf`;
    expect(stays.map(({ path }) => path)).toEqual([PLACES.settings, PLACES.data, 'ai-fabric', dropIn]);
    rmSync(machine.at(PLACES.dropIns), { recursive: true });
    for (const path of [PLACES.program, PLACES.unit, PLACES.command]) {
      expect(existsSync(machine.at(path)), path).toBe(false);
    }
    expect(existsSync(machine.at(PLACES.fabricFile))).toBe(true);
    expect(machine.active || machine.enabled).toBe(false);
    const purged = await uninstall(true);
    expect(purged.stays).toEqual([{ path: '/etc/ai-fabric/mine.key', why: 'it is not of the installation' }]);
    expect(readdirSync(machine.at(PLACES.settings))).toEqual(['mine.key']);
    expect(existsSync(machine.at(PLACES.data))).toBe(false);
    expect(read('/etc/passwd')).toBe('');
  });

  it('whose user could not be removed is known to the next one, which removes it', async () => {
    await install('0.1.0');
    machine.userIsBusy = true;
    await expect(uninstall(true)).rejects.toThrow('user ai-fabric is currently used by process 71');
    expect(record()?.made).toContain('user');
    machine.userIsBusy = false;
    await uninstall(true);
    expect(read('/etc/passwd')).toBe('');
    expect(existsSync(machine.at(PLACES.settings))).toBe(false);
  });

  it('that purges takes its own out of a data directory that was there before, and nothing else', async () => {
    mkdirSync(machine.at(`${PLACES.data}/lost+found`), { recursive: true });
    await install('0.1.0');
    await leaveRegistry();
    await install('0.2.0');
    const own = ['admin.token', 'tls', 'registry.sqlite-wal', '.before-restore-20261130T120000Z', 'spool'];
    for (const name of own) writeFileSync(machine.at(`${PLACES.data}/${name}`), '');
    const { stays } = await uninstall(true);
    expect(readdirSync(machine.at(PLACES.data))).toEqual(['lost+found']);
    expect(stays.map(({ path }) => path)).toEqual([PLACES.data, `${PLACES.data}/lost+found`]);
  });

  it('says so where a folder of its own is a link: to remove that would leave all of it', async () => {
    await install('0.1.0');
    renameSync(machine.at(PLACES.data), machine.at('/srv'));
    symlinkSync(machine.at('/srv'), machine.at(PLACES.data));
    await expect(uninstall(true)).rejects.toThrow(/ai-fabric is a link to .*srv, where all of it still is/);
    expect(existsSync(machine.at('/srv'))).toBe(true);
    rmSync(machine.at(PLACES.data));
    await uninstall(true);
    expect(existsSync(machine.at(PLACES.settings))).toBe(false);
  });

  it('leaves nothing where nothing of others is there, and can be followed by an installation', async () => {
    const before = readdirSync(machine.at('/'), { recursive: true }).toSorted();
    await install('0.1.0');
    await uninstall(true);
    expect(readdirSync(machine.at('/'), { recursive: true }).toSorted()).toEqual(before);
    await install('0.1.0');
    expect(machine.active).toBe(true);
  });
});
