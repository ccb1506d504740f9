import type { z } from '@hono/zod-openapi';
import { checkFabricValue } from '../declared/check-fabric-value.js';
import { joinDeclaredObjects } from '../declared/decide/list-declared-objects.js';
import { type ApplyPlan, type PlanOptions, planApply } from '../declared/decide/plan-apply.js';
import type { DeclaredState } from '../declared/declared-state.js';
import type { ApiContext } from './api-context.js';
import { conflict, invalid } from './change-declared.js';
import type { appliedSchema, applyRequestSchema } from './declared-schemas.js';

type Rooms = Pick<ApiContext, 'declared' | 'live'>;

/**
 * What applying a document would do, and the state that it would end in.
 *
 * @param document a fabric file as a plain value, checked here
 * @throws ApiError invalid, for the document itself or for what it makes together with what is not in it
 */
export function planDocument(
  rooms: Rooms,
  document: unknown,
  prune: boolean,
): { readonly plan: ApplyPlan; readonly next: DeclaredState } {
  const file = checkFabricValue(document);
  if (!file.ok) throw invalid(file.findings);
  const options = { prune, ...knownOfHosts(rooms) };
  const before = rooms.declared.current();
  const { plan, objects } = planApply(before, { state: file.state, document }, options);
  const next = checkFabricValue(joinDeclaredObjects(objects));
  if (next.ok) return { plan, next: next.state };
  throw invalid(
    next.findings,
    'the document does not go together with what is declared and not in it: add that to the document, or prune it',
  );
}

/** @throws ApiError invalid, conflict; RegistryError when it cannot be written */
export function applyDocument(
  rooms: Rooms,
  { document, prune, expectedRevision }: z.infer<typeof applyRequestSchema>,
): z.infer<typeof appliedSchema> {
  const { revision } = rooms.declared.current();
  // First: what does not go together with somebody else's change is a conflict, not a mistake in the document.
  if (revision !== expectedRevision) throw conflict(revision, expectedRevision);
  const { plan, next } = planDocument(rooms, document, prune);
  if (plan.changes.length === 0) return { changed: false, revision, plan };
  const result = rooms.declared.replace(next, expectedRevision);
  if (result.ok) return { changed: result.changed, revision: result.state.revision, plan };
  if (result.reason === 'invalid') throw invalid(result.findings);
  throw conflict(result.currentRevision, expectedRevision);
}

/** What a plan asks about the hosts that have joined; what an away one told last still holds. */
export function knownOfHosts({
  live,
}: Pick<ApiContext, 'live'>): Pick<PlanOptions, 'enrolledHosts' | 'policies'> {
  const joined = [...live.hosts()].filter(({ hostId }) => hostId !== null);
  return {
    enrolledHosts: new Set(joined.map(({ name }) => name)),
    policies: new Map(
      joined.flatMap(({ name, inventory }) => (inventory?.policy ? [[name, inventory.policy] as const] : [])),
    ),
  };
}
