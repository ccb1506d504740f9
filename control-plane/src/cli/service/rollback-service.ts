import { existsSync } from 'node:fs';
import { type Site, startService } from './carry-out.js';
import { planRollback } from './decide/plan-rollback.js';
import { gatherFacts } from './gather-facts.js';
import { prove, returnTo, settleCutOff } from './install-service.js';
import type { Machine } from './machine.js';
import type { Proof } from './prove-service.js';
import { RecordBook } from './record-book.js';
import { refused } from './refused.js';
import { STARTER_FABRIC } from './starter-files.js';

export interface RollbackOptions {
  /** Puts the registry back also where the version before could go on with the present one. */
  readonly registry: boolean;
  readonly dryRun: boolean;
  readonly waitMs: number;
}

export interface RolledBack {
  readonly from: string;
  readonly to: string;
  readonly restoredRegistry: boolean;
  readonly proof: Extract<Proof, { ok: true }> | null;
}

/** Returns to the version before the last upgrade. @throws CliError with what mends it */
export async function rollBackService(machine: Machine, options: RollbackOptions): Promise<RolledBack> {
  const { registry: wantsRegistry, dryRun, waitMs } = options;
  const site: Site = { machine, book: new RecordBook(machine), archive: '', starter: STARTER_FABRIC };
  if (!dryRun) await settleCutOff(site, waitMs);
  const facts = await gatherFacts(machine);
  const { record } = site.book;
  const backup = record.previous?.backup ?? null;
  const schemaNow = facts.registry.kind === 'sound' ? facts.registry.schema : null;
  const backupThere = backup !== null && existsSync(machine.at(backup));
  const plan = planRollback({ ...facts, schemaNow, backupThere }, wantsRegistry);
  if (!plan.ok) throw refused(plan.refusal);
  const told = {
    from: record.current?.version ?? '',
    to: plan.to.version,
    restoredRegistry: plan.restoresRegistry,
  };
  if (dryRun) return { ...told, proof: null };
  // Where it is cut off, the next run goes back as well: to the same version.
  if (record.current !== null) site.book.change({ upgrade: { from: plan.to, to: record.current } });
  const restoredRegistry = await returnTo(site, plan.to, wantsRegistry);
  const { version, folder } = plan.to;
  site.book.change({ current: { version, folder }, previous: null, upgrade: null });
  if (machine.root !== '/') return { ...told, restoredRegistry, proof: null };
  await startService(machine);
  return { ...told, restoredRegistry, proof: await prove(machine, waitMs) };
}
