import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NvidiaSmi } from '../find-nvidia-smi.js';

/** How the fake behaves; read again at each of its starts. */
export interface FakeBehaviour {
  /** Rows of a tick; a value that is not given is "[N/A]". */
  readonly cards?: readonly (Readonly<Record<string, string>> & { readonly uuid: string })[];
  /** Fields that it does not know. */
  readonly refused?: readonly string[];
  /** The whole command fails as long as this address is asked for. */
  readonly lostBusId?: string;
  /** Printed before it ends, with this exit code. */
  readonly failure?: { readonly text: string; readonly exitCode: number };
  readonly garbage?: boolean;
  /** Says nothing and never ends. */
  readonly hang?: boolean;
  /** Ends with exit code 0 after so many ticks. */
  readonly ticks?: number;
  /** What "-q -x" prints. */
  readonly xml?: string;
}

export interface FakeNvidiaSmi {
  /** Started through Node, so that it runs on every system. */
  readonly tool: NvidiaSmi;
  /** An executable named "nvidia-smi" in a folder of its own. */
  readonly path: string;
  behave(behaviour: FakeBehaviour): Promise<void>;
  /** The arguments of each start so far. */
  starts(): Promise<readonly string[]>;
  /** Process ids of each start so far. */
  pids(): Promise<readonly number[]>;
  remove(): Promise<void>;
}

const SCRIPT = String.raw`
const fs = require('node:fs');
const path = require('node:path');
const here = path.dirname(process.argv[1]);
const args = process.argv.slice(2);
fs.appendFileSync(path.join(here, 'starts.log'), process.pid + ' ' + args.join(' ') + '\n');
const be = JSON.parse(fs.readFileSync(path.join(here, 'behaviour.json'), 'utf8'));
const value = (flag) => { const at = args.indexOf(flag); return at < 0 ? null : args[at + 1]; };
const end = (text, code) => { fs.writeSync(1, text + '\n'); process.exit(code); };
const idle = () => setInterval(() => {}, 1000);
if (be.hang) idle();
else if (be.failure) end(be.failure.text, be.failure.exitCode);
else if (be.garbage) setInterval(() => process.stdout.write('\u0007garbage '.repeat(50) + '\n'.repeat(30)), 5);
else if (args[0] === '-q') { fs.writeSync(1, be.xml || ''); process.exit(0); }
else {
  const fields = args[0].replace('--query-gpu=', '').split(',');
  const unknown = fields.find((field) => (be.refused || []).includes(field));
  if (unknown) end('Field "' + unknown + '" is not a valid field to query.\n', 2);
  const only = value('-i')?.split(',');
  const asked = (be.cards || []).filter((card) => !only || only.includes(card['pci.bus_id']) || only.includes(card.index));
  if (be.lostBusId && asked.some((card) => card['pci.bus_id'] === be.lostBusId)) {
    end('Unable to determine the device handle for GPU ' + be.lostBusId + ': GPU is lost.  Reboot the system', 15);
  }
  if (only && asked.length === 0) end('No devices were found', 6);
  const periodMs = Number(value('-lms') || 1000 * Number(value('-l')));
  let ticks = 0;
  const tick = () => {
    for (const card of asked) {
      process.stdout.write(fields.map((field) => card[field] || '[N/A]').join(', ') + '\n');
    }
    ticks += 1;
    if (be.ticks && ticks >= be.ticks) process.exit(0);
  };
  tick();
  if (periodMs > 0) setInterval(tick, Math.min(50, periodMs));
}
`;

/** A small stand-in for nvidia-smi: a Node script in a temporary folder. */
export async function fakeNvidiaSmi(behaviour: FakeBehaviour): Promise<FakeNvidiaSmi> {
  const folder = await mkdtemp(join(tmpdir(), 'fake-nvidia-smi-'));
  const script = join(folder, 'script.cjs');
  const windows = process.platform === 'win32';
  const path = join(folder, windows ? 'nvidia-smi.cmd' : 'nvidia-smi');
  await writeFile(script, SCRIPT);
  // An absolute interpreter: the inventory's PATH holds nothing but this folder.
  await writeFile(
    path,
    windows
      ? `@"${process.execPath}" "${script}" %*\r\n`
      : `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`,
  );
  await chmod(path, 0o755);
  const behave = (next: FakeBehaviour): Promise<void> =>
    writeFile(join(folder, 'behaviour.json'), JSON.stringify(next));
  await behave(behaviour);
  const log = async (): Promise<string[]> => {
    const text = await readFile(join(folder, 'starts.log'), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  };
  return {
    tool: { command: process.execPath, leadingArgs: [script] },
    path,
    behave,
    starts: async () => (await log()).map((line) => line.slice(line.indexOf(' ') + 1)),
    pids: async () => (await log()).map((line) => Number.parseInt(line, 10)),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}
