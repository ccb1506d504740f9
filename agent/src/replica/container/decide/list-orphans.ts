import type { Orphan } from '@ai-fabric/shared';
import type { ContainerSummary } from '../../../containers/container-engine.js';
import { clipText } from '../../../sensors/decide/describe-issue.js';
import { containerName, labelNames } from './judge-container.js';

const MAX_ORPHANS = 64;

/**
 * Containers that this host's agent made and that stand for nothing. A label whose name or host differs is not believed.
 *
 * @param isKept whether this deployment is declared, and by its own container and no adopted one
 */
export function listOrphans(
  containers: readonly ContainerSummary[],
  hostId: string,
  isKept: (deployment: string) => boolean,
): Orphan[] {
  return containers
    .filter(({ name, labels }) => {
      const deployment = labels[labelNames.deployment];
      return (
        deployment !== undefined &&
        labels[labelNames.host] === hostId &&
        name === containerName(deployment) &&
        !isKept(deployment)
      );
    })
    .slice(0, MAX_ORPHANS)
    .map(({ id, name, labels }) => ({
      containerId: id,
      name: clipText(name, 200),
      deployment: clipText(labels[labelNames.deployment] ?? '', 120),
    }));
}
