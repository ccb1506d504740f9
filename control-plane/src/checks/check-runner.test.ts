import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import { CheckRunner } from './check-runner.js';
import { type Finding, finding } from './finding.js';

const LOST = finding('error', 'gpu_lost', { kind: 'host', name: 'armitage' }, 'its card is lost');

let clock: ManualClock;
let dataDirectory: string;
let runner: CheckRunner;
let find: (findings: readonly Finding[]) => void;

const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  clock = new ManualClock();
  dataDirectory = mkdtempSync(join(tmpdir(), 'ai-fabric-checks-'));
  const doctor = () =>
    new Promise<readonly Finding[]>((resolve) => {
      find = resolve;
    });
  const parts = { clock, dataDirectory, log: pino({ level: 'silent' }) };
  runner = new CheckRunner(parts, { doctor, smoke: async () => [] });
});
afterEach(() => rmSync(dataDirectory, { recursive: true }));

it('keeps what was found last, for the next process too', async () => {
  const run = runner.doctor(null, 'operator');
  await settle();
  find([LOST]);
  await run;
  expect(runner.records.doctor?.findings).toEqual([LOST]);
  expect(existsSync(dataDirectoryLayout(dataDirectory).checksFile)).toBe(true);
});

it('does not end before a check that is under way, and writes nothing of it any more', async () => {
  const run = runner.doctor(null, 'schedule');
  await settle();
  let closed = false;
  const closing = runner.close().then(() => {
    closed = true;
  });
  await settle();
  expect(closed).toBe(false);
  find([LOST]);
  await Promise.all([run, closing]);
  expect(existsSync(dataDirectoryLayout(dataDirectory).checksFile)).toBe(false);
});

it('does not wait for ever for one that hangs', async () => {
  void runner.doctor(null, 'schedule');
  await settle();
  const closing = runner.close();
  clock.advance(9_000);
  await closing;
  expect(runner.records.doctor).toBeNull();
});
