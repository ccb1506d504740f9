import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dropMade, noteMade } from './decide/edit-record.js';
import { planUninstall } from './decide/plan-uninstall.js';
import { InstallStepError, InterruptedError } from './install-errors.js';
import { type InstallRecord, InstallRecordError, readInstallRecord } from './install-record.js';
import type { InstallRequest, InstallStep, InstallSystem, Made } from './install-steps.js';
import { runInstall } from './run-install.js';
import { runUninstall, type UninstallEnd } from './run-uninstall.js';

const file = (what: string, kept = false): Made => ({ kind: 'file', what, kept });
const step = (kind: string, ...makes: Made[]): InstallStep => ({ kind, tells: `Do ${kind}`, makes });

const request: InstallRequest = {
  ...{ server: null, token: null, name: null, release: null, engineAccess: null, dockerLogonTask: null },
  ...{ newIdentity: false, rejoin: false, allowDowngrade: false },
};
const facts = { version: '0.1.0', machineSha256: '11'.repeat(32), engineAccess: 'group' } as const;

const record: InstallRecord = {
  ...{ format: 1, ...facts, finished: true },
  made: [
    file('/etc/a', true),
    { kind: 'account', what: 'a', kept: true },
    file('/opt/a'),
    { kind: 'service', what: 's', kept: false },
  ],
};

let folder: string;
let done: string[];
/** Whether the service ran before. */
let runs: boolean;
/** Somebody presses Ctrl-C while this is done. */
let interruptedIn: string | null;
/** Where somebody else put something. */
let foreignIn: string | null;
const isInterrupted = (): boolean => interruptedIn !== null && done.includes(interruptedIn);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'install-'));
  done = [];
  runs = false;
  interruptedIn = null;
  foreignIn = null;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Writes down what it is asked to do; what `dies` names fails. */
function system(dies: readonly string[] = []): InstallSystem {
  const act = (name: string): void => {
    if (dies.includes(name)) throw new Error(`${name} died`);
    done.push(name);
  };
  return {
    recordPath: join(folder, 'etc', 'installed.json'),
    stateDirectory: folder,
    lockPath: null,
    service: {
      runs: () => Promise.resolve(runs),
      start: async () => act('start again'),
      startCommand: 'systemctl start agent',
    },
    plan: () => Promise.reject(new Error('nobody asks')),
    carryOut: async ({ kind }) => {
      act(kind);
      if (kind === 'stop_service') runs = false;
      return kind === 'tells' ? 'more' : null;
    },
    remove: async ({ what }) => {
      act(what);
      return what === foreignIn ? [`${what}/notes.txt`] : [];
    },
    storageWithin: () => Promise.resolve(null),
    leftovers: () => Promise.resolve([]),
    refuseUninstall: () => Promise.resolve(null),
  };
}

const readRecord = (): Promise<InstallRecord | null> =>
  readInstallRecord(join(folder, 'etc', 'installed.json'));

describe('an install', () => {
  const run = (steps: readonly InstallStep[], dies: readonly string[] = []): Promise<void> =>
    runInstall({ system: system(dies), request, steps, facts, onDone: () => undefined, isInterrupted });

  it('does its steps in order, and records what they made', async () => {
    await run([step('one', file('/a')), step('two'), step('three', file('/b', true))]);
    expect(done).toEqual(['one', 'two', 'three']);
    expect(await readRecord()).toEqual({
      format: 1,
      ...facts,
      finished: true,
      made: [file('/a'), file('/b', true)],
    });
  });

  it('leaves no record where it made nothing: there may be no place for it yet', async () => {
    await expect(run([step('guard'), step('b', file('/b'))], ['guard'])).rejects.toThrow('guard died');
    expect(await readRecord()).toBeNull();
  });

  it('has recorded what it died in, and nothing behind it', async () => {
    const dying = run([step('one', file('/a')), step('two', file('/b')), step('three', file('/c'))], ['two']);
    await expect(dying).rejects.toThrow(InstallStepError);
    expect(await readRecord()).toMatchObject({ finished: false, made: [file('/a'), file('/b')] });
  });

  it('has recorded no longer what it took away again', async () => {
    const again = { ...step('two', file('/c')), unmakes: [file('/a')] };
    await run([step('one', file('/a')), step('more', file('/b')), again]);
    expect((await readRecord())?.made).toEqual([file('/b'), file('/c')]);
  });

  it('has still recorded what it could not take away again', async () => {
    const again = { ...step('two'), unmakes: [file('/a')] };
    await run([step('one', file('/a')), again], ['two']).catch(() => undefined);
    expect((await readRecord())?.made).toEqual([file('/a')]);
  });

  it('is of the version that was there until it is done', async () => {
    const steps = [step('one', file('/a')), step('two')];
    const newer = {
      request,
      steps,
      facts: { ...facts, version: '0.2.0' },
      onDone: () => undefined,
      isInterrupted,
    };
    await run(steps);
    await runInstall({ ...newer, system: system(['two']) }).catch(() => undefined);
    expect(await readRecord()).toMatchObject({ version: '0.1.0', finished: false });
    await runInstall({ ...newer, system: system() });
    expect(await readRecord()).toMatchObject({ version: '0.2.0', finished: true });
  });

  it('is of its own version where an uninstall left the owner’s alone', async () => {
    await run([step('one', file('/a', true))]);
    const other = {
      request,
      steps: [step('one')],
      facts: { ...facts, version: '0.0.1' },
      onDone: () => undefined,
      isInterrupted,
    };
    await runInstall({ ...other, system: system(['one']) }).catch(() => undefined);
    expect((await readRecord())?.version).toBe('0.0.1');
  });

  describe('that stopped the agent', () => {
    const once = [step('stop_service'), step('join', file('/key')), step('start_service')];
    const aftermath = async (dies: readonly string[], steps = once): Promise<string | null> => {
      const error = await run(steps, dies).then(
        () => null,
        (caught: unknown) => caught,
      );
      if (error instanceof InstallStepError) return error.aftermath;
      throw new Error(`it did not fail in a step: ${String(error)}`);
    };

    it('starts it again where a later step fails, and says so', async () => {
      runs = true;
      expect(await aftermath(['join'])).toBe('The agent that was stopped for it runs again.');
      expect(done).toEqual(['stop_service', 'start again']);
    });

    it('starts it again though it had stopped it twice', async () => {
      runs = true;
      expect(await aftermath(['join'], [step('stop_service'), ...once])).toMatch(/runs again/);
    });

    it('starts it again where it is not known to have stopped', async () => {
      runs = true;
      expect(await aftermath(['stop_service'])).toMatch(/runs again/);
    });

    it('says how to start it where that fails too', async () => {
      runs = true;
      expect(await aftermath(['join', 'start again'])).toBe(
        'The agent that was stopped for it could not be started again (start again died). Start it: systemctl start agent',
      );
    });

    it('leaves one that did not run', async () => {
      expect(await aftermath(['join'])).toBeNull();
      expect(done).toEqual(['stop_service']);
    });

    it('starts it again where it is interrupted, and goes on from there the next time', async () => {
      runs = true;
      interruptedIn = 'join';
      const error = await run(once).catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        ...{ step: once[2], cause: expect.any(InterruptedError) },
        aftermath: 'The agent that was stopped for it runs again.',
      });
      expect(done).toEqual(['stop_service', 'join', 'start again']);
      expect(await readRecord()).toMatchObject({ finished: false });
      interruptedIn = null;
      await run(once);
      expect(await readRecord()).toMatchObject({ finished: true });
    });

    it('says that it was interrupted where that is what a program failed of', async () => {
      runs = true;
      interruptedIn = 'stop_service';
      const error = await run(once, ['join']).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ step: once[1], cause: expect.any(InterruptedError) });
      expect(done.at(-1)).toBe('start again');
    });

    it('has the start itself say why it fails', async () => {
      runs = true;
      expect(await aftermath(['start_service'])).toBeNull();
      expect(done).toEqual(['stop_service', 'join']);
    });
  });

  it('goes on from there the next time, and records nothing twice', async () => {
    const steps = [step('one', file('/a')), step('two', file('/b'))];
    await run(steps, ['two']).catch(() => undefined);
    await run(steps);
    expect(done).toEqual(['one', 'one', 'two']);
    expect(await readRecord()).toMatchObject({ finished: true, made: [file('/a'), file('/b')] });
  });

  it('keeps what an earlier one made and it does not', async () => {
    await run([step('one', file('/a'))]);
    await run([step('two', file('/b'))]);
    expect((await readRecord())?.made).toEqual([file('/a'), file('/b')]);
  });

  it('of a copied disk goes by the old machine until it is done', async () => {
    await run([step('one')]);
    const other = { ...facts, machineSha256: '22'.repeat(32) };
    const steps = [step('one')];
    const copy = { request, steps, facts: other, onDone: () => undefined, isInterrupted };
    await runInstall({ ...copy, system: system(['one']) }).catch(() => undefined);
    expect((await readRecord())?.machineSha256).toBe(facts.machineSha256);
    await runInstall({ ...copy, system: system() });
    expect((await readRecord())?.machineSha256).toBe(other.machineSha256);
  });

  it('tells what a step has to say', async () => {
    const told: (string | null)[] = [];
    const steps = [step('tells'), step('one')];
    await runInstall({
      system: system(),
      request,
      steps,
      facts,
      onDone: (_step, detail) => told.push(detail),
      isInterrupted,
    });
    expect(told).toEqual(['more', null]);
  });
});

describe('the record', () => {
  it('that is not there is none; one that is damaged is told of with the fix', async () => {
    expect(await readRecord()).toBeNull();
    const path = join(folder, 'record.json');
    for (const text of [
      '',
      '{',
      '[]',
      '{"format":2}',
      JSON.stringify({ ...record, made: [{ kind: 'disk', what: '/', kept: false }] }),
    ]) {
      await writeFile(path, text);
      await expect(readInstallRecord(path), text).rejects.toThrow(InstallRecordError);
    }
  });

  it('can be read by others, whatever the umask is', async () => {
    const before = process.umask(0o077);
    try {
      await runInstall({
        system: system(),
        request,
        steps: [],
        facts,
        onDone: () => undefined,
        isInterrupted,
      });
    } finally {
      process.umask(before);
    }
    expect((await stat(join(folder, 'etc', 'installed.json'))).mode & 0o777).toBe(0o644);
  });

  it('takes a thing once, as it was said last', () => {
    const twice = noteMade(record, [file('/opt/a', true), file('/new')]);
    expect(twice.made).toHaveLength(record.made.length + 1);
    expect(twice.made[2]).toEqual(file('/opt/a', true));
    expect(dropMade(twice, file('/new')).made).toHaveLength(record.made.length);
    expect(record.made).toHaveLength(4);
  });
});

describe('an uninstall', () => {
  it('begins with the service, goes backwards, and leaves the owner’s', () => {
    const { remove, stays } = planUninstall(record, false);
    expect(remove.map(({ what }) => what)).toEqual(['s', '/opt/a']);
    expect(stays.map(({ what }) => what)).toEqual(['/etc/a', 'a']);
  });

  it('takes all of it where it purges', () => {
    const { remove, stays } = planUninstall(record, true);
    expect(remove.map(({ what }) => what)).toEqual(['s', '/opt/a', 'a', '/etc/a']);
    expect(stays).toEqual([]);
  });

  const run = async (purge: boolean, dies: readonly string[] = []): Promise<UninstallEnd> => {
    await runInstall({
      ...{ system: system(), request, facts, onDone: () => undefined, isInterrupted },
      steps: [step('all', ...record.made)],
    });
    done = [];
    const now = await readRecord();
    if (now === null) throw new Error('there is no record');
    return runUninstall({
      system: system(dies),
      record: now,
      plan: planUninstall(now, purge),
      onDone: () => undefined,
      isInterrupted,
    });
  };

  it('leaves in the record what stays', async () => {
    expect(await run(false)).toEqual({ problems: 0, untouched: [], foreign: [] });
    expect(await readRecord()).toMatchObject({ finished: false, made: record.made.slice(0, 2) });
  });

  it('leaves no record where nothing stays', async () => {
    expect(await run(true)).toEqual({ problems: 0, untouched: [], foreign: [] });
    expect(done).toEqual(['s', '/opt/a', 'a', '/etc/a']);
    await expect(readFile(join(folder, 'etc', 'installed.json'))).rejects.toThrow(/ENOENT/);
  });

  it('says what somebody else put into what was taken away', async () => {
    foreignIn = '/etc/a';
    expect(await run(true)).toEqual({ problems: 0, untouched: [], foreign: ['/etc/a/notes.txt'] });
  });

  it('that is interrupted says what it did not get to, which the next one takes away', async () => {
    interruptedIn = '/opt/a';
    expect(await run(true)).toEqual({
      problems: 0,
      untouched: [{ kind: 'account', what: 'a', kept: true }, file('/etc/a', true)],
      foreign: [],
    });
    expect(done).toEqual(['s', '/opt/a']);
    expect((await readRecord())?.made).toEqual(record.made.slice(0, 2));
  });

  it('goes on where something cannot be taken away, and remembers that it is there', async () => {
    expect(await run(true, ['/opt/a'])).toEqual({ problems: 1, untouched: [], foreign: [] });
    expect(done).toEqual(['s', 'a', '/etc/a']);
    expect((await readRecord())?.made).toEqual([file('/opt/a')]);
  });
});
