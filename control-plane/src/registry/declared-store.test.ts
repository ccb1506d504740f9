import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeclaredState } from '../declared/declared-state.js';
import { FabricFileError, seedFromFile } from '../declared/seed-from-file.js';
import { WatchedFabricFile } from '../declared/watched-fabric-file.js';
import type { Registry } from './registry-types.js';
import { declaredState, TemporaryRegistry } from './testing/temporary-registry.js';

const estate = {
  hosts: { wintermute: { mayBeAway: true }, armitage: { mayBeAway: true } },
  deployments: {
    qwen: {
      host: 'armitage',
      task: 'chat',
      engine: 'external',
      url: 'http://armitage:8000',
      servedModel: 'q',
    },
  },
  providers: {
    openai: {
      baseUrl: 'https://api.openai.com/v1',
      models: { strong: { model: 'big' }, cheap: { model: 'mini' } },
    },
  },
  roles: { fast: { task: 'chat', targets: [{ deployment: 'qwen' }] } },
  aliases: { 'local/chat': 'fast' },
};

let place: TemporaryRegistry;
let registry: Registry;

beforeEach(() => {
  place = new TemporaryRegistry();
  registry = place.open();
});
afterEach(() => place.remove());

describe('the declared state', () => {
  it('is empty, of revision 0, before anything was declared', () => {
    expect(registry.declared.current()).toMatchObject({ revision: 0, hosts: new Map(), roles: new Map() });
  });

  it('is replaced as a whole, told to listeners, and the same after a restart, order included', async () => {
    const told: DeclaredState[] = [];
    const stop = registry.declared.onChange((state) => told.push(state));
    const result = registry.declared.replace(declaredState(estate), 0);
    expect(result).toMatchObject({ ok: true, changed: true, state: { revision: 1 } });
    stop();
    registry.declared.replace(declaredState({ ...estate, aliases: {} }), 1);
    expect(told.map((state) => state.revision)).toEqual([1]);
    const before = registry.declared.current();
    await place.close();
    const after = place.open().declared.current();
    expect(after).toEqual(before);
    expect([...after.hosts.keys()]).toEqual(['wintermute', 'armitage']);
    expect([...(after.providers.get('openai')?.models.keys() ?? [])]).toEqual(['strong', 'cheap']);
  });

  it('does not change, nor does its revision, when it is replaced by the same', () => {
    registry.declared.replace(declaredState(estate), 0);
    const told: number[] = [];
    registry.declared.onChange((state) => told.push(state.revision));
    expect(registry.declared.replace(declaredState(estate), 1)).toMatchObject({
      ok: true,
      changed: false,
      state: { revision: 1 },
    });
    expect(told).toEqual([]);
  });

  it('does not change when somebody else changed it in between', () => {
    registry.declared.replace(declaredState(estate), 0);
    const late = registry.declared.replace(declaredState({}), 0);
    expect(late).toEqual({ ok: false, reason: 'revision_conflict', currentRevision: 1 });
    expect(registry.declared.current().hosts.size).toBe(2);
  });

  it('does not change when the new one is not valid', () => {
    registry.declared.replace(declaredState(estate), 0);
    const { hosts: _, ...rest } = declaredState(estate);
    const result = registry.declared.replace({ ...rest, hosts: new Map() }, 1);
    expect(result).toMatchObject({
      ok: false,
      reason: 'invalid',
      findings: [{ path: ['deployments', 'qwen', 'host'] }],
    });
    expect(registry.declared.current()).toMatchObject({ revision: 1 });
  });

  it('is told to every listener, though one of them fails', () => {
    const told: number[] = [];
    registry.declared.onChange(() => {
      throw new Error('a bug');
    });
    registry.declared.onChange((state) => told.push(state.revision));
    expect(registry.declared.replace(declaredState(estate), 0)).toMatchObject({ ok: true });
    expect(told).toEqual([1]);
  });

  it('remembers of each thing the revision that last changed it', async () => {
    registry.declared.replace(declaredState(estate), 0);
    registry.declared.replace(
      declaredState({ ...estate, hosts: { new: {}, armitage: { mayBeAway: true } } }),
      1,
    );
    await place.close();
    const raw = new Database(place.file, { readonly: true });
    const rows = raw
      .prepare(
        "SELECT name, position, changed_revision FROM declared_objects WHERE kind = 'host' ORDER BY position",
      )
      .raw()
      .all();
    raw.close();
    expect(rows).toEqual([
      ['new', 0, 2],
      ['armitage', 1, 1],
    ]);
  });

  it('that was damaged in the file is refused at the next start, saying where', async () => {
    registry.declared.replace(declaredState(estate), 0);
    await place.close();
    const raw = new Database(place.file);
    raw.exec("DELETE FROM declared_objects WHERE kind = 'host' AND name = 'armitage'");
    expect(() => place.open()).toThrow(/not valid: deployments\.qwen\.host: unknown host "armitage"/);
    raw.exec("UPDATE declared_objects SET document = '{' WHERE kind = 'role'");
    raw.close();
    expect(() => place.open()).toThrow(expect.objectContaining({ code: 'registry_corrupt' }));
    expect(() => place.open()).toThrow(/role "fast" is no JSON/);
  });
});

describe('a fabric file at the start', () => {
  const log = pino({ level: 'silent' });
  function write(content: string): string {
    const file = join(place.parent, 'fabric.yaml');
    writeFileSync(file, content);
    return file;
  }

  it('declares an empty registry, once; afterwards it is only compared', () => {
    const file = write('version: 1\nhosts: { motoko: {} }\n');
    expect(seedFromFile(file, registry.declared, log)).toBe(false);
    expect(registry.declared.current()).toMatchObject({ revision: 1 });
    expect(seedFromFile(file, registry.declared, log)).toBe(false);
    write('version: 1\nhosts: { other: {} }\n');
    expect(seedFromFile(file, registry.declared, log)).toBe(true);
    expect([...registry.declared.current().hosts.keys()]).toEqual(['motoko']);
    expect(seedFromFile(null, registry.declared, log)).toBe(false);
  });

  it('is compared as it is now with what is declared now', () => {
    const file = write('version: 1\nhosts: { motoko: {} }\n');
    seedFromFile(file, registry.declared, log);
    const watched = new WatchedFabricFile(file);
    const differs = () => watched.differsFrom(registry.declared.current());
    expect(differs()).toBe(false);
    registry.declared.replace(declaredState({ hosts: { motoko: {}, other: {} } }), 1);
    expect(differs()).toBe(true);
    write('version: 1\n# both\nhosts: { other: {}, motoko: {} }\n');
    expect(differs()).toBe(false);
    write('version: 1\nhosts: { other: { x: 1 } }\n');
    expect(differs()).toBe(true);
    rmSync(file);
    expect(differs()).toBe(true);
    expect(new WatchedFabricFile(null).differsFrom(registry.declared.current())).toBe(false);
  });

  it('that is wrong stops the first start, and no later one', () => {
    const file = write('version: 1\nhosts: { motoko: { x: 1 } }\n');
    expect(() => seedFromFile(file, registry.declared, log)).toThrow(FabricFileError);
    expect(() => seedFromFile(file, registry.declared, log)).toThrow(
      /fabric\.yaml:2:20: hosts\.motoko\.x: unknown key/,
    );
    expect(registry.declared.current().revision).toBe(0);
    registry.declared.replace(declaredState(estate), 0);
    expect(seedFromFile(file, registry.declared, log)).toBe(true);
    expect(registry.declared.current().revision).toBe(1);
  });
});
