import nvidiaSmi from 'node-nvidia-smi';
import { parseGpuInventory } from './decide/parse-gpu-inventory.js';
import type { InventoryAnswer } from './decide/read-inventory-answer.js';

/**
 * The work of the inventory child: asks `node-nvidia-smi` once and writes one line of JSON, an `InventoryAnswer`. The
 * package waits without end and runs a bare name through a shell: only ever call this in a process of its own, with
 * a PATH of one folder, that somebody kills.
 */
export function printGpuInventory(write: (line: string) => void): void {
  nvidiaSmi((error, data) => write(`${JSON.stringify(answer(error, data))}\n`));
}

function answer(error: unknown, data: unknown): InventoryAnswer {
  if (error) return { ok: false, ...describe(error) };
  const parsed = parseGpuInventory(data);
  if (parsed === null) return { ok: false, exitCode: null, output: 'The XML is no log of nvidia-smi.' };
  return { ok: true, gpus: [...parsed.gpus], skipped: parsed.skipped };
}

function describe(error: unknown): { exitCode: number | null; output: string } {
  if (!(error instanceof Error)) return { exitCode: null, output: String(error).slice(0, 2000) };
  const { code } = error as { code?: unknown };
  // The first line is Node's own; what the tool said on standard error follows, the rest the package keeps to itself.
  const said = error.message.replace(/^Command failed: .*\n?/, '');
  return { exitCode: typeof code === 'number' ? code : null, output: said.slice(0, 2000) };
}
