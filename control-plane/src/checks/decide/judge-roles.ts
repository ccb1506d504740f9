import type { DeclaredRole, DeclaredState, Target } from '../../declared/declared-state.js';
import { type Finding, finding } from '../finding.js';

/**
 * Roles that nothing can answer: each of their targets is broken, rather than away as declared, draining or loading.
 *
 * @param findings of hosts, deployments and providers
 */
export function judgeRoles(declared: DeclaredState, findings: readonly Finding[]): Finding[] {
  const broken = new Map<string, string>();
  for (const { where, code, severity } of findings) {
    if (!breaks(where.kind, code, severity)) continue;
    const place = `${where.kind} ${where.name}`;
    if (!broken.has(place)) broken.set(place, code);
  }
  return [...declared.roles.values()].flatMap((role) => {
    // Its finding says already which roles it leaves alone.
    if (isOfOneProvider(role)) return [];
    const told = role.targets.map((target) => describe(target, declared, broken));
    if (told.some((each) => each === null)) return [];
    const where = { kind: 'role', name: role.name } as const;
    const what = `nothing can answer it: ${told.join(', ')}`;
    const fix = `mend one of its targets: doctor says of each what to do; or give ${role.name} another`;
    return [finding('error', 'role_unanswerable', where, what, { fix })];
  });
}

/** A host's own errors, a lost card among them, are no proof that its engine is gone: those of its link are. */
function breaks(kind: Finding['where']['kind'], code: string, severity: Finding['severity']): boolean {
  if (severity !== 'error' && severity !== 'warning') return false;
  if (kind === 'host') return HOST_GONE.has(code);
  if (kind === 'provider') return PROVIDER_GONE.has(code);
  return kind === 'deployment' && (severity === 'error' || DEPLOYMENT_GONE.has(code));
}

const HOST_GONE: ReadonlySet<string> = new Set(['host_away', 'host_never_joined', 'host_revoked']);
const PROVIDER_GONE: ReadonlySet<string> = new Set([
  'provider_key_missing',
  'provider_key_exposed',
  'provider_key_refused',
  'provider_unreachable',
  'provider_failing',
]);
const DEPLOYMENT_GONE: ReadonlySet<string> = new Set(['replica_unseen', 'breaker_open']);

/** @returns `null` when it is not broken */
function describe(
  target: Target,
  declared: DeclaredState,
  broken: ReadonlyMap<string, string>,
): string | null {
  if (target.kind === 'provider') {
    const code = broken.get(`provider ${target.provider}`);
    return code === undefined ? null : `${target.provider}/${target.model} (${code})`;
  }
  const { deployment: name } = target;
  const host = declared.deployments.get(name)?.host ?? '';
  const code = broken.get(`host ${host}`) ?? broken.get(`deployment ${name}`);
  return code === undefined ? null : `${name} (${code})`;
}

function isOfOneProvider({ targets: [first, ...others] }: DeclaredRole): boolean {
  if (first?.kind !== 'provider') return false;
  return others.every((each) => each.kind === 'provider' && each.provider === first.provider);
}
