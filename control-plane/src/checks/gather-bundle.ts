import { MASK, maskText } from '@ai-fabric/shared';
import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import { listSecretReferences } from '../declared/decide/list-secret-references.js';
import { serialiseDeclaredState } from '../declared/decide/serialise-declared-state.js';
import type { DeclaredState } from '../declared/declared-state.js';
import type { HostEvent } from '../registry/registry-types.js';
import type { CheckParts } from './check-parts.js';
import type { CheckRecords } from './check-records.js';
import { readAdminToken } from './read-admin-token.js';

/** What helps somebody else to understand this fabric, each part as JSON. */
export interface BundleParts {
  readonly fabric: unknown;
  readonly hosts: readonly unknown[];
  readonly replicas: readonly unknown[];
  readonly targets: readonly unknown[];
  readonly events: readonly HostEvent[];
  readonly checks: Pick<CheckRecords, 'doctor' | 'smoke'>;
  /** Of the program, as far as it is kept in memory. */
  readonly log: readonly unknown[];
}

const MAX_EVENTS = 500;

/** Every secret that the control plane can read is masked, wherever it stands. */
export function gatherBundle(parts: CheckParts, checks: BundleParts['checks']): BundleParts {
  const { declared, live, routerGauges } = parts;
  const state = declared.current();
  const bundle: BundleParts = {
    fabric: withoutWebhookAddress(state),
    hosts: [...live.hosts()],
    replicas: [...live.replicas()],
    targets: routerGauges().targets,
    events: parts.hostEvents(MAX_EVENTS),
    checks: { doctor: checks.doctor, smoke: checks.smoke },
    log: parts.logEntries(),
  };
  return JSON.parse(maskText(JSON.stringify(bundle), knownSecrets(parts, state))) as BundleParts;
}

/** An address that whoever knows it may post to is a secret, also where it is declared in clear. */
function withoutWebhookAddress(state: DeclaredState): unknown {
  const { webhook } = state.checks;
  const file = serialiseDeclaredState(state);
  if (webhook === null || typeof webhook.url !== 'string') return file;
  const url = `${new URL(webhook.url).origin}/${MASK}`;
  return { ...file, checks: { ...file.checks, webhook: { ...webhook, url } } };
}

function knownSecrets({ secrets, dataDirectory }: CheckParts, state: DeclaredState): string[] {
  const { webhook } = state.checks;
  const values = listSecretReferences(state).flatMap((reference) => {
    const result = secrets.read(reference);
    return result.ok ? [result.value] : [];
  });
  const token = readAdminToken(dataDirectoryLayout(dataDirectory).adminTokenFile);
  const inClear = webhook !== null && typeof webhook.url === 'string' ? [webhook.url] : [];
  return [...values, ...(token === null ? [] : [token]), ...inClear];
}
