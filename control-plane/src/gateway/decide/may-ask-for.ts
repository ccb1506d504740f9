import type { ResolvedModel } from '../../declared/declared-state.js';
import type { GatewayKey } from '../request-context.js';

/** Whether a key may ask for a name: it was given this name, or what the name stands for. */
export function mayAskFor({ roles }: GatewayKey, asked: string, resolved: ResolvedModel): boolean {
  return roles === null || roles.has(asked) || roles.has(nameOfResolved(resolved));
}

/** By its declared name, whatever alias it was asked for by. */
export function nameOfResolved(resolved: ResolvedModel): string {
  if (resolved.kind === 'role') return resolved.role.name;
  if (resolved.kind === 'deployment') return resolved.deployment.name;
  return `${resolved.provider.name}/${resolved.model.name}`;
}
