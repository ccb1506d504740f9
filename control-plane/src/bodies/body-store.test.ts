import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredKey } from '../registry/key-types.js';
import { BodyStore } from './body-store.js';
import type { KeptBody } from './kept-body.js';

const DAY_MS = 86_400_000;
const ENDED = Date.UTC(2026, 10, 24, 22, 30);

let directory: string;
let clock: ManualClock;
let keys: StoredKey[];
let listeners: (() => void)[];
let lines: string[];
let store: BodyStore;

function open(): BodyStore {
  return new BodyStore({
    directory,
    keys: {
      list: () => keys,
      onChange: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    },
    clock,
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
  });
}

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'bodies-')), 'bodies');
  clock = new ManualClock(ENDED);
  keys = [keyWith(7)];
  listeners = [];
  lines = [];
  store = open();
});
afterEach(async () => {
  await store.close();
  rmSync(join(directory, '..'), { recursive: true, force: true });
});

const keyWith = (keepBodiesDays: number | null): StoredKey => ({
  keyId: 'key-1',
  name: 'ci',
  roles: null,
  mayWake: false,
  mayCloud: false,
  expiresAtMs: null,
  limits: { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: null },
  keepBodiesDays,
  defaultClass: null,
  mostUrgentClass: null,
  createdAtMs: 0,
  rotatedAtMs: null,
  revokedAtMs: null,
  secrets: [],
});

const text = (value: string) => ({ text: value, sizeBytes: value.length, cut: false });

const body = (requestId: string, changed: Partial<KeptBody> = {}): KeptBody => ({
  requestId,
  keyId: 'key-1',
  endedAtMs: ENDED,
  request: text(`{"of":"${requestId}"}`),
  answer: text('line one\nline two\r\u2028'),
  ...changed,
});

describe('what requests said', () => {
  it('is found again by id and end, whatever else lies in its hour', async () => {
    const kept = [body('a'), body('b'), body('a', { endedAtMs: ENDED + 1, answer: text('again') })];
    for (const each of kept) store.append(each);
    expect(await store.find('a', ENDED)).toEqual(kept[0]);
    expect(await store.find('a', ENDED + 1)).toEqual(kept[2]);
    expect(await store.find('b', ENDED)).toEqual(kept[1]);
    expect(await store.find('b', ENDED + 1)).toBeNull();
    expect(await store.find('c', ENDED)).toBeNull();
  });

  it('is for its owner alone, and found by the next process', async () => {
    store.append(body('a'));
    await store.close();
    const file = join(directory, 'key-1', '2026-11-24T22.ndjson');
    expect([statSync(file).mode & 0o777, statSync(directory).mode & 0o777]).toEqual([0o600, 0o700]);
    store = open();
    expect(await store.find('a', ENDED)).toMatchObject({ requestId: 'a' });
  });

  it('leaves nothing on the disk while no key asks for it', async () => {
    await store.prune();
    expect(await store.find('a', ENDED)).toBeNull();
    expect(existsSync(directory)).toBe(false);
  });

  it('after a crash in mid-line is read all the same', async () => {
    store.append(body('a'));
    expect(await store.find('a', ENDED)).not.toBeNull();
    appendFileSync(join(directory, 'key-1', '2026-11-24T22.ndjson'), '\n{"requestId":"b","keyId":"ke');
    store.append(body('b'));
    expect(await store.find('b', ENDED)).toEqual(body('b'));
  });

  it('goes when its key wants it kept no longer, at once', async () => {
    store.append(body('a'));
    expect(await store.find('a', ENDED)).not.toBeNull();
    keys = [keyWith(null)];
    for (const listener of listeners) listener();
    expect(await store.find('a', ENDED)).toBeNull();
  });

  it('goes when its time is over', async () => {
    store.append(body('a'));
    clock.advance(8 * DAY_MS);
    await store.prune();
    expect(await store.find('a', ENDED)).toBeNull();
    expect(readdirSync(join(directory, 'key-1'))).toEqual([]);
  });

  it('that cannot be written is counted, told once a minute, and stops nothing', async () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'key-1'), 'in the way');
    store.append(body('a'));
    expect(await store.find('a', ENDED)).toBeNull();
    store.append(body('b'));
    expect(await store.find('b', ENDED)).toBeNull();
    expect(store.droppedCount).toBe(2);
    expect(lines).toHaveLength(1);
    rmSync(join(directory, 'key-1'));
    store.append(body('c'));
    expect(await store.find('c', ENDED)).not.toBeNull();
  });

  it('is bounded while it waits', () => {
    const large = text('x'.repeat(1_000_000));
    for (let count = 0; count < 40; count += 1) store.append(body(`r${count}`, { request: large }));
    expect(store.droppedCount).toBe(24);
  });
});
