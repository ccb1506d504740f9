import type { DeclaredRole, DeclaredState } from '../../declared/declared-state.js';
import type { SmokeRequest } from '../smoke-result.js';

/**
 * One request through every role, a second and streaming one where it is for chat, and one through every alias; of
 * the tasks that the gateway takes requests for.
 *
 * @param revoked hosts that cannot come back, whatever is declared of them
 */
export function planSmoke(declared: DeclaredState, revoked: ReadonlySet<string>): SmokeRequest[] {
  return planAll(declared, revoked).filter(({ task }) => task === 'chat' || task === 'embeddings');
}

function planAll(declared: DeclaredState, revoked: ReadonlySet<string>): SmokeRequest[] {
  const requests: SmokeRequest[] = [];
  for (const role of declared.roles.values()) {
    const request = throughRole(declared, role, revoked);
    requests.push(request);
    if (role.task === 'chat') requests.push({ ...request, stream: true });
  }
  for (const [alias, target] of declared.aliases) {
    const role = declared.roles.get(target);
    if (role) {
      requests.push({ ...throughRole(declared, role, revoked), kind: 'alias', name: alias });
      continue;
    }
    const deployment = declared.deployments.get(target);
    if (!deployment) continue;
    requests.push({
      kind: 'alias',
      name: alias,
      task: deployment.task,
      stream: false,
      expectedDimensions: null,
      deployments: deploymentsOf(declared, [target], revoked),
      wakes: true,
    });
  }
  return requests;
}

function throughRole(
  declared: DeclaredState,
  role: DeclaredRole,
  revoked: ReadonlySet<string>,
): SmokeRequest {
  const names = role.targets.flatMap((target) => (target.kind === 'deployment' ? [target.deployment] : []));
  return {
    kind: 'role',
    name: role.name,
    task: role.task,
    stream: false,
    expectedDimensions: role.dimensions,
    deployments: deploymentsOf(declared, names, revoked),
    wakes: role.onAsleep === 'hold' || role.onAsleep === 'cloudThenLocal',
  };
}

function deploymentsOf(
  declared: DeclaredState,
  names: readonly string[],
  revoked: ReadonlySet<string>,
): SmokeRequest['deployments'] {
  return new Map(
    names.map((name) => {
      const host = declared.hosts.get(declared.deployments.get(name)?.host ?? '');
      return [name, { mayBeAway: host?.mayBeAway === true && !revoked.has(host.name) }];
    }),
  );
}

const CHAT_MAX_TOKENS = 8;

/** What is asked: a few tokens, or one vector. */
export function smokeBody(request: SmokeRequest): { readonly path: string; readonly body: object } {
  const { name, task, stream } = request;
  if (task === 'embeddings') return { path: '/v1/embeddings', body: { model: name, input: 'hello' } };
  const messages = [{ role: 'user', content: 'Say hello.' }];
  return {
    path: '/v1/chat/completions',
    body: { model: name, messages, max_tokens: CHAT_MAX_TOKENS, ...(stream ? { stream: true } : {}) },
  };
}
