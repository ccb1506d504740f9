import { PLACES, SERVICE_USER } from '../service-places.js';
import { refuseMachine } from './plan-install.js';
import type { Refusal, ServiceFacts } from './service-facts.js';

export type RemovalStep =
  | { readonly kind: 'stop' }
  | { readonly kind: 'remove_unit' }
  | { readonly kind: 'remove'; readonly path: string }
  /** Our files in a data directory that was there before us: a disk that is mounted there, most likely. */
  | { readonly kind: 'remove_data' }
  /** Our files in /etc/ai-fabric; the directory itself where nothing else is in it. */
  | { readonly kind: 'remove_settings' }
  | { readonly kind: 'remove_user' }
  | { readonly kind: 'give_port_back' };

export interface Remains {
  readonly path: string;
  readonly why: string;
}

export type UninstallPlan =
  | { readonly ok: false; readonly refusal: Refusal }
  | { readonly ok: true; readonly steps: readonly RemovalStep[]; readonly stays: readonly Remains[] };

/** What is removed: what the installation made, and nothing else; configuration and data only where that is asked for. */
export function planUninstall(facts: ServiceFacts, purge: boolean): UninstallPlan {
  // A service of that name that is somebody else's is left alone, and hinders nothing.
  const refusal = refuseMachine({ ...facts, unit: { ...facts.unit, kind: 'none' } });
  if (refusal !== null) return { ok: false, refusal };
  const { record } = facts;
  if (record === null) {
    const message = `no control plane is installed here as a service (${PLACES.record} is not there)`;
    return { ok: false, refusal: { code: 'not_installed', message, fix: 'there is nothing to remove' } };
  }
  const made = new Set(record.made);
  const steps: RemovalStep[] = [];
  const stays: Remains[] = [];
  const isOurs = facts.unit.kind === 'ours';
  if (isOurs && facts.unit.active) steps.push({ kind: 'stop' });
  if (isOurs) steps.push({ kind: 'remove_unit' });
  if (facts.command === 'ours') steps.push({ kind: 'remove', path: PLACES.command });
  if (facts.directoriesThere.includes(PLACES.program)) steps.push({ kind: 'remove', path: PLACES.program });
  if (record.litellm !== null) steps.push({ kind: 'give_port_back' });
  if (purge) {
    const data = facts.directoriesThere.includes(PLACES.data);
    if (data && made.has(PLACES.data)) steps.push({ kind: 'remove', path: PLACES.data });
    else if (data) {
      steps.push({ kind: 'remove_data' });
      stays.push({ path: PLACES.data, why: 'the directory was there before the installation' });
    }
    const { account } = facts;
    if (account !== null && made.has('user')) steps.push({ kind: 'remove_user' });
    else if (account !== null) stays.push({ path: SERVICE_USER, why: 'a user that was there before' });
    // Last, for the record goes with them: what failed before is still known to the next run.
    steps.push({ kind: 'remove_settings' });
    return { ok: true, steps, stays };
  }
  stays.push(
    { path: PLACES.settings, why: 'configuration, and what was made here (--purge removes it)' },
    { path: PLACES.data, why: 'registry, certificate, admin token, backups (--purge removes them)' },
  );
  if (facts.account !== null) stays.push({ path: SERVICE_USER, why: 'the user that owns them' });
  return { ok: true, steps, stays };
}

/** What a removal step does, as the one who uninstalls is told it. */
export function describeRemoval(step: RemovalStep): string {
  switch (step.kind) {
    case 'stop':
      return 'stop the service: requests under way may finish, agents keep their containers';
    case 'remove_unit':
      return `remove ${PLACES.unit}`;
    case 'remove':
      return `remove ${step.path}`;
    case 'remove_data':
      return `remove our files in ${PLACES.data}`;
    case 'remove_settings':
      return `remove our files in ${PLACES.settings}`;
    case 'remove_user':
      return `remove the user ${SERVICE_USER}`;
    case 'give_port_back':
      return 'start LiteLLM again, as it was before';
  }
}
