import { must } from './carry-out.js';
import type { ReplacedLitellm } from './installed-record.js';
import type { Machine } from './machine.js';

const START_WITHIN_MS = 120_000;

/** The proxy that was replaced runs again as it did before. @throws CliError */
export async function startLitellm(machine: Machine, { unit, wasEnabled }: ReplacedLitellm): Promise<void> {
  if (wasEnabled) must(await machine.run('systemctl', ['enable', '--quiet', unit]));
  const fix = `look at its log: journalctl -u ${unit}`;
  must(await machine.run('systemctl', ['start', unit], { timeoutMs: START_WITHIN_MS }), fix);
}
