import type { ContainerDetails } from '../../containers/container-engine.js';
import type { Seen } from './decide/container-state.js';
import { type Trouble, trouble } from './decide/container-trouble.js';
import { containerName, judgeContainer } from './decide/judge-container.js';
import { missingAdoption, nearestContainers } from './decide/missing-adoption.js';
import type { StepContext } from './step-executors.js';

/**
 * Looks for the container that stands for the replica. Where one is to be adopted that cannot be, the one from before
 * stands in for it: a mistyped name ends nothing.
 *
 * @throws ContainerEngineError
 */
export async function seeContainer(context: StepContext, signal: AbortSignal): Promise<Seen> {
  const { tools, desired } = context;
  const { deployment, adopt } = desired;
  const { adoptedId, adoptedAs } = tools.memory.replica(deployment);
  if (adopt === null) {
    if (adoptedId !== null) {
      tools.memory.update(deployment, { adoptedId: null, adoptedAs: null });
      tools.census.judgeAgain();
    }
    return see(context, containerName(deployment), { adopt, adoptedId: null }, signal);
  }
  // One that is adopted is known by its id, whatever it is called by now.
  if (adoptedId !== null && (adoptedAs ?? adopt) === adopt) {
    const seen = await see(context, adoptedId, { adopt, adoptedId }, signal);
    if (seen.kind === 'kept') return seen;
  }
  return seeAdoption(context, adopt, signal);
}

async function seeAdoption(context: StepContext, adopt: string, signal: AbortSignal): Promise<Seen> {
  const { tools, desired } = context;
  const { deployment } = desired;
  const { adoptedId, adoptedAs } = tools.memory.replica(deployment);
  const seen = await see(context, adopt, { adopt, adoptedId: null }, signal);
  const obstacle = await findObstacle(context, adopt, seen, signal);
  if (obstacle === null) return seen;
  const mayGoOn = tools.recipe.refusal({ ...desired, adopt: null }) === null;
  const before = mayGoOn
    ? adoptedId === null
      ? await see(context, containerName(deployment), { adopt: null, adoptedId: null }, signal)
      : await see(context, adoptedId, { adopt: adoptedAs ?? adopt, adoptedId }, signal)
    : null;
  if (before?.kind === 'kept') return { ...before, standsIn: obstacle.trouble };
  return seen.kind === 'none' ? { kind: 'none', near: obstacle.near } : seen;
}

/** Why it is not adopted; `null`: it is. */
async function findObstacle(
  { tools, desired }: StepContext,
  adopt: string,
  seen: Seen,
  signal: AbortSignal,
): Promise<{ readonly trouble: Trouble; readonly near: readonly string[] } | null> {
  if (seen.kind === 'none') {
    const names = (await tools.engine.list(signal)).map(({ name }) => name);
    const near = nearestContainers(adopt, names);
    return { trouble: missingAdoption(adopt, near), near };
  }
  if (seen.kind === 'foreign') {
    const detail = `The container ${adopt}, which is to be adopted, is that of another deployment.`;
    return { trouble: trouble('name_taken', detail), near: [] };
  }
  const refusal = tools.recipe.refusal(desired);
  if (refusal === null) return null;
  const detail = `The host's policy refuses it (${refusal.rule}): ${refusal.detail}`;
  return { trouble: trouble('policy_refused', detail), near: [] };
}

async function see(
  { tools, desired, wanted }: StepContext,
  idOrName: string,
  as: { readonly adopt: string | null; readonly adoptedId: string | null },
  signal: AbortSignal,
): Promise<Seen> {
  const { deployment, image, reach } = desired;
  const details: ContainerDetails | null = await tools.engine.inspect(idOrName, signal);
  const declared = { image, specHash: wanted.specHash, reach };
  return judgeContainer(details, { deployment, hostId: tools.hostId, ...as }, declared);
}
