import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leftTools } from './left-tools.js';

const log = pino({ level: 'silent' });
const ARGS = ['-e', 'setInterval(() => {}, 1000)'];
let folder = '';
let hung: ChildProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'left-tools-'));
  hung = spawn(process.execPath, ARGS, { detached: true, stdio: 'ignore' });
  await once(hung, 'spawn');
});
afterEach(async () => {
  hung.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const file = (): string => join(folder, 'nvidia-smi.json');
const open = () => leftTools(folder, process.platform, log);
const pidOf = (child: ChildProcess): number => child.pid ?? 0;

describe.runIf(process.platform === 'linux')('an nvidia-smi that hangs', () => {
  it('while its agent is killed is ended by the next one', async () => {
    open().started(pidOf(hung), ARGS);
    const ended = once(hung, 'exit');
    open().endLeft();
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(file())).toBe(false);
  });

  it('and ended under its agent leaves nothing noted', () => {
    const tools = open();
    tools.started(pidOf(hung), ARGS);
    tools.ended(pidOf(hung));
    expect(existsSync(file())).toBe(false);
  });

  it('is not taken for another process that has its number now', async () => {
    open().started(pidOf(hung), ARGS);
    const record = JSON.parse(await readFile(file(), 'utf8'));
    await writeFile(file(), JSON.stringify({ ...record, startTicks: '1' }));
    open().endLeft();
    expect(hung.exitCode).toBeNull();
    expect(hung.kill(0)).toBe(true);
  });

  it.each(['', 'garbage', '{"pid":-1}'])('is not looked for in a file of %j', async (text) => {
    await writeFile(file(), text);
    open().endLeft();
    expect(existsSync(file())).toBe(false);
  });
});
