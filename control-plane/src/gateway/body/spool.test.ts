import { mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ManualClock } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHAT_BODY } from '../decide/body-shapes.js';
import type { GatewayError } from '../decide/error-table.js';
import { applySplices, type Splice } from '../decide/rewrite-body.js';
import { until } from '../testing/test-gateway.js';
import { SplicedSource } from './body-source.js';
import { BodySpooler } from './body-spooler.js';
import { JsonBodyScan } from './json-body-scan.js';
import { Spool } from './spool.js';
import { SpoolFile } from './spool-file.js';

let directory: string;
let logged: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ai-fabric-spool-'));
  logged = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(maxBytes = 1_000): Spool {
  const log = pino({}, { write: (line: string) => void logged.push(line) });
  return new Spool({ directory, clock: new ManualClock(), log, maxBytes });
}

function fileOf(spool: Spool): SpoolFile {
  const file = spool.create();
  if (typeof file === 'string') throw new Error(file);
  return file;
}

const append = (file: SpoolFile, bytes: Uint8Array): Promise<NodeJS.ErrnoException | null> =>
  new Promise((resolve) => file.append(bytes, resolve));

/** What became of a body that comes in this one chunk. */
async function spoolOne(spool: Spool, file: SpoolFile, text: string): Promise<GatewayError | 'spooled'> {
  let outcome: GatewayError | 'spooled' | null = null;
  const listener = {
    onSpooled: () => {
      outcome = 'spooled';
    },
    onSpoolRefused: (error: GatewayError) => {
      outcome = error;
    },
  };
  const request = new PassThrough() as unknown as IncomingMessage;
  const spooler = new BodySpooler(request, listener, spool, file, new JsonBodyScan(CHAT_BODY), 0);
  spooler.push(Buffer.from(text));
  spooler.end();
  await until(() => outcome !== null, 'it is over');
  spooler.release();
  return outcome as unknown as GatewayError | 'spooled';
}

describe('the disk room of bodies', () => {
  it('is emptied at the start, and its files have no names', async () => {
    writeFileSync(join(directory, 'left'), 'x');
    const spool = open();
    expect(readdirSync(directory)).toEqual([]);
    const file = fileOf(spool);
    expect(readdirSync(directory)).toEqual([]);
    expect(await append(file, Buffer.from('abc'))).toBeNull();
    expect(file.length).toBe(3);
    file.release();
    expect(spool.files).toBe(0);
  });

  it('is bounded for all together, and free again when they are gone', async () => {
    const spool = open(100);
    const [one, other] = [fileOf(spool), fileOf(spool)];
    expect([one.reserve(60), other.reserve(41), other.reserve(40)]).toEqual([true, false, true]);
    expect(await spoolOne(spool, fileOf(spool), '{"model":"a"}')).toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining('taken the room'),
    });
    one.release();
    other.release();
    expect([spool.bytes, spool.files]).toEqual([0, 0]);
    const before = spool.totalBytes;
    expect(before).toBeGreaterThanOrEqual(100);
    expect(await spoolOne(spool, fileOf(spool), '{"model":"a"}')).toBe('spooled');
    expect([spool.bytes, spool.files]).toEqual([0, 0]);
    expect(spool.totalBytes - before).toBe('{"model":"a"}'.length);
  });

  it.runIf(process.platform === 'linux')('tells of a full disk, and keeps nothing', async () => {
    const spool = open();
    const full = new SpoolFile(openSync('/dev/full', 'w'), spool, null);
    fileOf(spool).reserve(0);
    const outcome = await spoolOne(spool, full, '{"model":"a"}');
    expect(outcome).toMatchObject({ code: 'overloaded', message: expect.stringContaining('is full') });
    expect(spool.bytes).toBe(0);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('ENOSPC');
  });

  it('does without a directory until there can be one', () => {
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'a file');
    const spool = open();
    expect(spool.create()).toContain('disk');
    expect(logged).toHaveLength(1);
    rmSync(directory);
    fileOf(spool).release();
  });
});

describe('a body on the disk', () => {
  it('is read as it would be rewritten in memory, again and again', async () => {
    const spool = open(1_000_000_000);
    const pieces = fc.array(
      fc.tuple(fc.nat(50), fc.nat(20), fc.string({ unit: 'grapheme-ascii', maxLength: 9 })),
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(5), pieces, async (bytes, from, wanted) => {
        const file = fileOf(spool);
        const head = Buffer.alloc(from, 0x58);
        await append(file, Buffer.concat([head, bytes]));
        const splices: Splice[] = [];
        let at = 0;
        for (const [skip, length, text] of wanted) {
          const [start, end] = [at + skip, at + skip + length];
          if (end > bytes.length) break;
          splices.push({ start, end, text });
          at = end;
        }
        const source = new SplicedSource(file, from, from + bytes.length, splices);
        const expected = Buffer.from(applySplices(bytes, splices, Buffer.allocUnsafe));
        const [first, again] = await Promise.all([buffer(source.open()), buffer(source.open())]);
        expect(first.equals(expected) && again.equals(expected)).toBe(true);
        expect(source.length).toBe(expected.length);
        file.release();
      }),
      { numRuns: 200 },
    );
    await until(() => spool.files === 0, 'all are closed');
  });

  it('is closed when the last of its readers is through, and not before', async () => {
    const spool = open(1_000_000_000);
    const file = fileOf(spool);
    const bytes = Buffer.alloc(500_000, 0x61);
    file.reserve(bytes.length);
    await append(file, bytes);
    const [read, left] = [0, 1].map(() => new SplicedSource(file, 0, bytes.length, []).open());
    file.release();
    left?.destroy();
    expect(spool.files).toBe(1);
    expect((await buffer(read as NonNullable<typeof read>)).equals(bytes)).toBe(true);
    await until(() => spool.files === 0, 'it is closed');
    expect(spool.bytes).toBe(0);
  });
});
