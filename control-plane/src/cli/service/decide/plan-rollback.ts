import type { EarlierVersion } from '../installed-record.js';
import { refuseMachine } from './plan-install.js';
import type { Refusal, ServiceFacts } from './service-facts.js';

export type RollbackPlan =
  | { readonly ok: false; readonly refusal: Refusal }
  | { readonly ok: true; readonly to: EarlierVersion; readonly restoresRegistry: boolean };

export interface RollbackFacts extends ServiceFacts {
  /** Migrations of the registry as it is now; `null`: there is none, or this program cannot read it. */
  readonly schemaNow: number | null;
  /** Whether the backup of before the upgrade is still there. */
  readonly backupThere: boolean;
}

/**
 * How to return to the version before. Its registry is put back where the newer version changed its form, since the
 * older one could not read it; else the present one stays, and nothing that was written meanwhile is lost.
 *
 * @param wantsRegistry puts it back in any case
 */
export function planRollback(facts: RollbackFacts, wantsRegistry: boolean): RollbackPlan {
  const refusal = refuseMachine(facts);
  if (refusal !== null) return { ok: false, refusal };
  const { record, schemaNow } = facts;
  if (record?.current == null) {
    const message = 'no control plane is installed here as a service';
    return { ok: false, refusal: { code: 'not_installed', message, fix: 'install one first' } };
  }
  const to = record.previous;
  if (to === null || !facts.versionsThere.includes(to.folder)) {
    const message = 'there is no version to return to';
    const fix = 'only the one before the last upgrade is kept; install another from its archive';
    return { ok: false, refusal: { code: 'no_earlier_version', message, fix } };
  }
  const restoresRegistry = wantsRegistry || needsRegistry(to, schemaNow);
  if (restoresRegistry && (to.backup === null || !facts.backupThere)) {
    const message = `${to.version} cannot read the registry as it is now, and its backup (${to.backup ?? 'none'}) is not there`;
    const fix = 'restore a backup of that version with "ai-fabric restore", then try again';
    return { ok: false, refusal: { code: 'registry_refused', message, fix } };
  }
  return { ok: true, to, restoresRegistry };
}

/** Whether a version could not read the registry as it is. What cannot be told counts as changed. */
export function needsRegistry(
  to: Pick<EarlierVersion, 'schema' | 'backup'>,
  schemaNow: number | null,
): boolean {
  if (to.backup === null) return false;
  return schemaNow === null || to.schema === null || schemaNow > to.schema;
}
