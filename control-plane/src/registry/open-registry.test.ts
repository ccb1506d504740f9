import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RegistryError } from './registry-error.js';
import { declaredState, enrol, enrolled, TemporaryRegistry, until } from './testing/temporary-registry.js';

const onWindows = process.platform === 'win32';
let place: TemporaryRegistry;

beforeEach(() => {
  place = new TemporaryRegistry();
});
afterEach(() => place.remove());

/** The refusal of an open, with the path made independent of the test's place. */
function refusal(open: () => unknown = () => place.open()): { code: string; message: string; fix: string } {
  try {
    open();
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const { code, message, fix } = error;
    return { code, fix, message: message.replace(place.parent, '') };
  }
  throw new Error('nothing was refused');
}

/** Root may write whatever the mode says: for this call root is somebody else. */
function withoutPrivilege<Result>(run: () => Result): Result {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65_534);
  try {
    return run();
  } finally {
    process.seteuid?.(0);
  }
}

function nobodyOwns(...paths: string[]): void {
  if (process.geteuid?.() === 0) for (const path of paths) chownSync(path, 65_534, 65_534);
}

describe('a registry', () => {
  it('is made with its directory at the first start and found again at the second', async () => {
    const host = enrolled(place.open());
    await place.close();
    expect(place.open().hosts.list()).toEqual([host]);
  });

  it.skipIf(onWindows)('is for its owner alone, journal files included', () => {
    enrolled(place.open());
    expect(statSync(place.directory).mode & 0o777).toBe(0o700);
    const modes = readdirSync(place.directory).map((name) => [
      name,
      statSync(join(place.directory, name)).mode & 0o777,
    ]);
    expect(modes.map(([name]) => name)).toContain('registry.sqlite-wal');
    expect(modes.filter(([, mode]) => mode !== 0o600)).toEqual([]);
  });

  it('leaves nothing held when it is refused', async () => {
    mkdirSync(place.directory);
    writeFileSync(place.file, 'this is no database, and long enough to be sure of it'.repeat(50));
    expect(refusal().code).toBe('registry_corrupt');
    expect(refusal().code).toBe('registry_corrupt');
  });
});

describe('a registry that cannot be used', () => {
  it('because a newer program wrote it names both versions and what to do', async () => {
    place.open();
    await place.close();
    const raw = new Database(place.file);
    raw
      .prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)')
      .run('x', Date.UTC(2099, 0));
    raw.exec("UPDATE meta SET value = '9.8.7' WHERE key = 'written_by'");
    const { code, message, fix } = refusal();
    expect(code).toBe('registry_newer');
    expect(message).toMatch(
      /^.data.registry\.sqlite: has schema \d+, written by ai-fabric 9\.8\.7; this is ai-fabric \d+\.\d+\.\d+, which knows schema \d+ at most$/,
    );
    expect(fix).toBe('start ai-fabric 9.8.7 or newer, or restore a backup from before the upgrade');
    raw.exec('DROP TABLE meta');
    raw.close();
    expect(refusal()).toMatchObject({ code: 'registry_newer' });
  });

  it('because the file is damaged, cut off or of another program is told apart from other failures', async () => {
    mkdirSync(place.directory);
    const raw = new Database(place.file);
    raw.exec('CREATE TABLE theirs (x)');
    raw.close();
    expect(refusal()).toMatchObject({
      code: 'registry_corrupt',
      message: expect.stringContaining('is a database of another program'),
    });
    const whole = readFileSync(place.file);
    writeFileSync(place.file, whole.subarray(0, 100));
    expect(refusal()).toMatchObject({
      code: 'registry_corrupt',
      fix: expect.stringContaining('restore a backup'),
    });
  });

  it('because another program has locked it is told within a moment', async () => {
    place.open();
    await place.close();
    const other = new Database(place.file);
    other.pragma('locking_mode = EXCLUSIVE');
    other.exec('BEGIN EXCLUSIVE; COMMIT');
    expect(refusal()).toMatchObject({
      code: 'registry_busy',
      fix: expect.stringContaining('close the program that has the file open'),
    });
    other.close();
    expect(place.open().hosts.list()).toEqual([]);
  });

  it('because its directory is a file, or below one, is told with the path', () => {
    writeFileSync(place.directory, '');
    expect(refusal()).toMatchObject({
      code: 'data_directory_unusable',
      message: expect.stringMatching(/^.data: /),
    });
    expect(refusal(() => place.open({ dataDirectory: join(place.directory, 'below') }))).toMatchObject({
      code: 'data_directory_unusable',
    });
  });

  it.skipIf(onWindows)('because nothing may be written is told with the path', async () => {
    chmodSync(place.parent, 0o755);
    mkdirSync(place.directory, { mode: 0o500 });
    nobodyOwns(place.directory);
    expect(withoutPrivilege(() => refusal())).toMatchObject({
      code: 'registry_read_only',
      fix: expect.stringContaining('--data'),
    });
    chmodSync(place.directory, 0o700);
    place.open();
    await place.close();
    chmodSync(place.file, 0o400);
    nobodyOwns(place.file, join(place.directory, 'control-plane.lock'));
    expect(withoutPrivilege(() => refusal())).toMatchObject({
      code: 'registry_read_only',
      message: expect.stringContaining('registry.sqlite'),
    });
    chmodSync(place.file, 0o600);
    nobodyOwns(place.directory);
  });

  it.skipIf(process.platform !== 'linux')(
    'because no directory can be made there is told, and does not hang',
    () => {
      const { code, message } = refusal(() => place.open({ dataDirectory: '/proc/none/data' }));
      expect(code).toBe('data_directory_unusable');
      expect(message).toContain('/proc/none/data: cannot be opened or made');
    },
  );

  it('because the program is incomplete says where the migrations should be', () => {
    const { code, message } = refusal(() => place.open({ migrationsFolder: place.parent }));
    expect(code).toBe('registry_failed');
    expect(message).toContain("the registry's migrations cannot be read");
  });
});

describe('a data directory', () => {
  it('has one control plane at a time, and the second start names the first', async () => {
    place.open();
    expect(refusal()).toEqual({
      code: 'registry_in_use',
      message: `/data: another control plane (process ${process.pid}) runs on this data directory`,
      fix: 'stop that one, or choose another directory with --data',
    });
    // The refusal must not have let go of the first one's lock.
    expect(refusal().code).toBe('registry_in_use');
    await place.close();
    expect(place.open().declared.current().revision).toBe(0);
  });
});

describe('a registry that another connection writes to', () => {
  it('answers "busy" within a moment, and works again afterwards', async () => {
    const registry = place.open();
    const other = new Database(place.file);
    other.exec('BEGIN IMMEDIATE');
    const startedMs = performance.now();
    expect(refusal(() => registry.tokens.create({ ttlSeconds: 60, nowMs: 0 })).code).toBe('registry_busy');
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(registry.tokens.list(0)).toEqual([]);
    other.exec('ROLLBACK');
    other.close();
    expect(enrol(registry).ok).toBe(true);
  });

  it('gives one token to one of four processes that use it at once', async () => {
    const token = place.open().tokens.create({ ttlSeconds: 600, nowMs: 0 });
    const program = `
      import { openRegistryDatabase } from ${built('registry-database.js')};
      import { createHostStore } from ${built('host-store.js')};
      import { randomBytes } from 'node:crypto';
      const [file, tokenId, tokenSecret, name] = process.argv.slice(1);
      const store = createHostStore(openRegistryDatabase(file, { busyTimeoutMs: 5000, durability: 'normal' }), randomBytes);
      process.stdin.once('data', () => {
        const request = { tokenId, tokenSecret, hostName: name, publicKey: name, machineSha256: name, nowMs: 1 };
        const result = store.enrol(request);
        process.stdout.write(result.ok ? 'ok' : result.reason);
        process.exit();
      });
      process.stdout.write('.');
    `;
    const racers = ['h1', 'h2', 'h3', 'h4'].map((name) =>
      runProgram(program, [place.file, token.id, token.secret, name]),
    );
    await until(() => racers.every((racer) => racer.output() === '.'), 20_000);
    for (const racer of racers) racer.child.stdin.write('go');
    await Promise.all(racers.map((racer) => racer.ended));
    expect(racers.map((racer) => racer.output().slice(1)).toSorted()).toEqual([
      'ok',
      'token_used',
      'token_used',
      'token_used',
    ]);
  }, 30_000);
});

describe('a full disk', () => {
  it('refuses a change whole, and what was there is still read', async () => {
    const { database, stores } = await openLimited();
    stores.declared.replace(declaredState({ hosts: { motoko: {} } }), 0);
    database.raw.pragma(`max_page_count = ${Number(database.raw.pragma('page_count', { simple: true }))}`);
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`h${index}`, {}]));
    const { code, fix } = refusal(() => stores.declared.replace(declaredState({ hosts: many }), 1));
    expect(code).toBe('registry_full');
    expect(fix).toContain('make room on the disk');
    expect(stores.declared.current()).toMatchObject({ revision: 1 });
    database.raw.pragma('max_page_count = 100000');
    expect(stores.declared.replace(declaredState({ hosts: many }), 1)).toMatchObject({ ok: true });
    database.close();
  });
});

describe('a control plane that stops', () => {
  it('lives until what was seen is written, though nothing else keeps it', async () => {
    const program = `
      import { openRegistry } from ${built('open-registry.js')};
      import { systemClock } from '@ai-fabric/shared';
      import { pino } from 'pino';
      const registry = openRegistry({ dataDirectory: process.argv[1], clock: systemClock(), log: pino({ level: 'silent' }) });
      const [{ hostId }] = registry.hosts.list();
      registry.observations.enqueue({ kind: 'hostEvent', hostId, atMs: 1, event: 'goodbye', detail: 'restart' });
      registry.close().then(() => process.stdout.write('closed'));
    `;
    enrolled(place.open());
    await place.close();
    const stopping = runProgram(program, [place.directory]);
    await stopping.ended;
    expect(stopping.output()).toBe('closed');
    expect(place.open().hosts.list()).toMatchObject([{ lastGoodbyeReason: 'restart' }]);
  }, 30_000);
});

describe('a control plane that is killed while it writes', () => {
  it('leaves a sound file, lets go of the directory and has lost no host', async () => {
    const program = `
      import { openRegistry } from ${built('open-registry.js')};
      import { systemClock } from '@ai-fabric/shared';
      import { pino } from 'pino';
      const registry = openRegistry({ dataDirectory: process.argv[1], clock: systemClock(), log: pino({ level: 'silent' }) });
      for (let host = 0; host < 20; host += 1) {
        const token = registry.tokens.create({ ttlSeconds: 60, nowMs: 1 });
        const name = 'h' + host;
        registry.hosts.enrol({ tokenId: token.id, tokenSecret: token.secret, hostName: name, publicKey: name, machineSha256: name, nowMs: 1 });
      }
      const hosts = registry.hosts.list();
      let atMs = 0;
      const write = () => {
        atMs += 1;
        for (let turn = 0; turn < 300; turn += 1) {
          const { hostId } = hosts[turn % hosts.length];
          registry.observations.enqueue({ kind: 'hostEvent', hostId, atMs, event: 'late', detail: 'x'.repeat(500) });
        }
      };
      setInterval(write, 1);
      process.stdout.write('.');
    `;
    const writer = runProgram(program, [place.directory]);
    await until(() => writer.output() === '.', 20_000);
    const reader = new Database(place.file, { readonly: true });
    const count = reader.prepare('SELECT count(*) FROM host_events').pluck();
    await until(() => Number(count.get()) > 500, 20_000);
    expect(refusal()).toMatchObject({ message: expect.stringContaining(`(process ${writer.child.pid})`) });
    writer.child.kill('SIGKILL');
    await writer.ended;
    reader.close();
    const registry = place.open();
    expect(registry.hosts.list()).toHaveLength(20);
    const after = new Database(place.file);
    expect(after.pragma('integrity_check', { simple: true })).toBe('ok');
    after.close();
  }, 60_000);
});

async function openLimited() {
  const { openRegistryDatabase } = await import('./registry-database.js');
  const { migrateRegistry } = await import('./migrate-registry.js');
  const { createDeclaredStore } = await import('./declared-store.js');
  const { pino } = await import('pino');
  mkdirSync(place.directory);
  const database = openRegistryDatabase(place.file, { busyTimeoutMs: 250, durability: 'full' });
  migrateRegistry(database);
  return {
    database,
    stores: { declared: createDeclaredStore(database, place.clock, pino({ level: 'silent' })) },
  };
}

/** Of the built program: a child process cannot run TypeScript. */
function built(file: string): string {
  return JSON.stringify(new URL(`../../dist/registry/${file}`, import.meta.url).href);
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function runProgram(program: string, argv: readonly string[]) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, ...argv], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return { child, ended, output: () => text };
}
