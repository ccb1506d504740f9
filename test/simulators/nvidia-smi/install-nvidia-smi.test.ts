import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from '../common/eventually.js';
import { type InstalledNvidiaSmi, installNvidiaSmi } from './install-nvidia-smi.js';
import { SAMPLE_CARDS } from './scenario.js';

// Real sockets and processes on a machine that others keep busy: the conditions decide, not the time.
vi.setConfig({ testTimeout: 20_000 });

let directory: string;
let tool: InstalledNvidiaSmi;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "nvidia smi's "));
  tool = await installNvidiaSmi({ directory });
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  output: string;
  ended: { readonly code: number | null; readonly signal: string | null } | null;
}

function start(...args: string[]): Run {
  // Through the launcher where the system can start one without a shell.
  const launcher = process.platform === 'win32' ? tool.command : tool.path;
  const leading = process.platform === 'win32' ? tool.leadingArgs : [];
  const child = spawn(launcher, [...leading, ...args], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  const run: Run = { child, output: '', ended: null };
  child.stdout?.on('data', (part) => {
    run.output += part;
  });
  child.stderr?.on('data', (part) => {
    run.output += `stderr: ${part}`;
  });
  child.on('close', (code, signal) => {
    run.ended = { code, signal };
  });
  children.push(child);
  return run;
}

const loop = ['--query-gpu=uuid,utilization.gpu', '--format=csv,noheader,nounits', '-lms', '20'];
const lines = (run: Run) => run.output.split('\n').length - 1;

it('answers once and ends, from a directory whose name a shell would cut', async () => {
  const run = start('-q', '-x');
  await eventually('it ends', () => run.ended !== null);
  expect(run.ended).toEqual({ code: 0, signal: null });
  expect(run.output).toMatch(/^<\?xml[\s\S]*<\/nvidia_smi_log>\n$/);
});

it('prints at its cadence until it is ended', async () => {
  const run = start(...loop);
  await eventually('five lines', () => lines(run) >= 5);
  run.child.kill('SIGTERM');
  await eventually('it ends', () => run.ended !== null);
  expect(run.ended?.signal).toBe('SIGTERM');
});

it('loses a card while it runs, and has it again', async () => {
  const run = start(...loop);
  await eventually('a line', () => lines(run) >= 1);
  await tool.change({ behaviour: { kind: 'card_lost', uuid: SAMPLE_CARDS.rtx2080.uuid } });
  await eventually('the card is lost', () => run.output.includes('[GPU is lost]'));
  await tool.change({ behaviour: { kind: 'healthy' } });
  await eventually('it is back', () => /lost\]\nGPU-[^,]+, \d+\n/.test(run.output));
});

it('gives the exit code of a failure', async () => {
  await tool.change({ behaviour: { kind: 'driver_not_loaded' } });
  const run = start(...loop);
  await eventually('it ends', () => run.ended !== null);
  expect(run.ended?.code).toBe(9);
});

// Windows has no SIGTERM that a process could ignore.
it.skipIf(process.platform === 'win32')('hangs: prints nothing and ignores SIGTERM', async () => {
  await tool.change({ behaviour: { kind: 'hang', afterTicks: 1 } });
  const run = start(...loop);
  await eventually('its only line', () => lines(run) === 1);
  run.child.kill('SIGTERM');
  run.child.kill('SIGINT');
  const other = start('-L');
  await eventually('another one has answered meanwhile', () => other.output.includes('GPU 0'));
  expect(run.ended).toBeNull();
  expect(lines(run)).toBe(1);
});

it('ends by itself when nobody reads it', async () => {
  const run = start(...loop);
  await eventually('a line', () => lines(run) >= 1);
  run.child.stdout?.destroy();
  await eventually('it ends', () => run.child.exitCode !== null || run.child.signalCode !== null);
});

it('writes a batch file for Windows, and tells the command without it', async () => {
  const installed = await installNvidiaSmi({ directory, platform: 'win32' });
  expect(installed.path.endsWith('nvidia-smi.cmd')).toBe(true);
  const quoted = [installed.command, ...installed.leadingArgs].map((part) => `"${part}"`).join(' ');
  expect(await readFile(installed.path, 'utf8')).toBe(`@${quoted} %*\r\n`);
});
