import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pruneLearned } from './learned-store.js';
import { openRegistryDatabase } from './registry-database.js';
import type { Registry } from './registry-types.js';
import { TemporaryRegistry } from './testing/temporary-registry.js';

const DAY_MS = 24 * 3600 * 1000;
const armitage = { host: 'armitage', model: 'qwen', image: 'vllm:1' };

let place: TemporaryRegistry;
let registry: Registry;

beforeEach(() => {
  place = new TemporaryRegistry();
  registry = place.open();
});
afterEach(() => place.remove());

const settled = (of = registry): Promise<void> =>
  place.untilInTime(() => of.observations.queuedCount === 0, 5);

it('what was learned is there again after a restart, the latest of each', async () => {
  registry.learned.save({ kind: 'learnedRates', ...armitage, state: 'first', atMs: 1 });
  await settled();
  registry.learned.save({ kind: 'learnedRates', ...armitage, state: 'second', atMs: 2 });
  registry.learned.save({ kind: 'learnedRates', ...armitage, image: 'vllm:2', state: 'other', atMs: 3 });
  registry.learned.save({ kind: 'answerLengths', role: 'chat', key: '', state: 'role', atMs: 4 });
  registry.learned.save({ kind: 'answerLengths', role: 'chat', key: 'k1', state: 'key', atMs: 5 });
  await registry.close();
  const { rates, lengths } = place.open().learned.load();
  expect(rates.map(({ image, state }) => [image, state])).toEqual([
    ['vllm:2', 'other'],
    ['vllm:1', 'second'],
  ]);
  expect(lengths.map(({ key, state }) => [key, state])).toEqual([
    ['', 'role'],
    ['k1', 'key'],
  ]);
});

it('what is forgotten is gone, of all images, and what is learned after it stays', async () => {
  registry.learned.save({ kind: 'learnedRates', ...armitage, state: 'old', atMs: 1 });
  registry.learned.save({ kind: 'learnedRates', ...armitage, host: 'motoko', state: 'hers', atMs: 1 });
  registry.learned.save({ kind: 'ratesForgotten', host: 'armitage', model: 'qwen', atMs: 2 });
  await settled();
  expect(registry.learned.load().rates).toMatchObject([{ host: 'motoko', state: 'hers' }]);
  registry.learned.save({ kind: 'learnedRates', ...armitage, state: 'old', atMs: 3 });
  registry.learned.save({ kind: 'ratesForgotten', host: 'armitage', model: 'qwen', atMs: 4 });
  registry.learned.save({ kind: 'learnedRates', ...armitage, state: 'new', atMs: 5 });
  await settled();
  expect(registry.learned.load().rates).toMatchObject([{ state: 'new' }, { state: 'hers' }]);
});

it('what nobody brought up to date for 90 days goes, a chunk at a time', async () => {
  await registry.close();
  const database = openRegistryDatabase(place.file, { busyTimeoutMs: 1_000, durability: 'normal' });
  const add = database.raw.prepare(
    'INSERT INTO answer_lengths (role, key, state, updated_at_ms) VALUES (?, ?, ?, ?)',
  );
  for (let key = 0; key < 600; key += 1) add.run('chat', `k${key}`, '{}', DAY_MS);
  add.run('chat', '', '{}', 50 * DAY_MS);
  const prune = (): boolean => database.write((queries) => pruneLearned(queries, 92 * DAY_MS));
  expect([prune(), prune()]).toEqual([true, false]);
  database.close();
  const raw = new Database(place.file, { readonly: true });
  expect(raw.prepare('SELECT key FROM answer_lengths').pluck().all()).toEqual(['']);
  raw.close();
});
