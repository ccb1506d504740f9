import type { DeclaredDeployment, DeclaredState, VllmDeployment } from '../declared-state.js';
import type { FileToApply } from './plan-apply.js';

/** What operators change by commands, and a file that describes an estate seldom says. */
const OPERATED = ['wish', 'restartCount', 'adopt'] as const satisfies readonly (keyof VllmDeployment)[];

/**
 * The state that a file means, where it is applied to another: what it leaves out of a container's operation stays
 * as it is, so that applying it neither starts what was stopped nor restarts anything.
 */
export function keepUnsaid(before: DeclaredState, { state, document }: FileToApply): DeclaredState {
  const deployments = new Map(
    [...state.deployments].map(([name, deployment]) => {
      const said = field(field(document, 'deployments'), name);
      return [name, keep(before.deployments.get(name), deployment, said)] as const;
    }),
  );
  return { ...state, deployments };
}

function keep(
  before: DeclaredDeployment | undefined,
  deployment: DeclaredDeployment,
  said: unknown,
): DeclaredDeployment {
  if (before?.engine !== 'vllm' || deployment.engine !== 'vllm') return deployment;
  // On another host there is neither its container nor one to adopt.
  if (before.host !== deployment.host) return deployment;
  const kept = OPERATED.filter((name) => field(said, name) === undefined);
  const operated = { ...deployment, ...Object.fromEntries(kept.map((name) => [name, before[name]])) };
  // A file that takes parking away takes it from what is parked too.
  return operated.wish === 'parked' && !operated.parkable ? { ...operated, wish: 'running' } : operated;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
