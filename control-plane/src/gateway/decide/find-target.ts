import type { ResolvedModel } from '../../declared/declared-state.js';
import { targetKey } from '../../router/decide/group-targets.js';
import { suggestModels } from '../../router/decide/suggest-models.js';
import { type GatewayError, gatewayError } from './error-table.js';
import { nameOfResolved } from './may-ask-for.js';

const NAME_MAX_CHARS = 200;

/** What may serve a name, as `x-fabric-replica` tells it. */
export function targetsOf(resolved: ResolvedModel): readonly string[] {
  return resolved.kind === 'role' ? resolved.role.targets.map(targetKey) : [nameOfResolved(resolved)];
}

/**
 * What a client is told that asks for a target of a role which has none of that name.
 *
 * @param told targets of the role that this client may know of
 */
export function unknownTarget(asked: string, model: string, told: readonly string[]): GatewayError {
  const nearest = suggestModels(asked, told);
  const shown = nearest.length > 0 ? nearest : told.slice(0, 3);
  const hint =
    shown.length === 0 ? '' : ` ${nearest.length > 0 ? 'Nearest' : 'It has'}: ${shown.join(', ')}.`;
  const message = `x-fabric-target: "${asked.slice(0, NAME_MAX_CHARS)}" is no target of "${model.slice(0, NAME_MAX_CHARS)}".${hint} Leave the header out to be served by any.`;
  return gatewayError('unknown_target', message);
}
