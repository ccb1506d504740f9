import { countOf } from '@ai-fabric/shared';
import type {
  ContainerEngineFlavour,
  ContainerState,
  ContainerSummary,
  VolumeInfo,
} from '../../containers/container-engine.js';

/** What there is in an engine, whoever made it. */
export interface EngineContents {
  readonly containers: readonly Pick<ContainerSummary, 'name' | 'labels' | 'state'>[];
  readonly volumes: readonly Pick<VolumeInfo, 'name'>[];
}

const STOPPED = 'stopped';
/** In the order in which they are told: what still uses a card first. */
const WORDS: Readonly<Record<ContainerState, string>> = {
  running: 'running',
  restarting: 'running',
  paused: 'paused',
  removing: 'being removed',
  unknown: 'in a state that is not known',
  created: STOPPED,
  exited: STOPPED,
  dead: STOPPED,
};

/** Of a container that stands for a deployment, and of one that looks into the models or fetches one. */
export const OUR_LABELS = ['io.ai-fabric.deployment', 'io.ai-fabric.helper'];

/** What the agent made in its engine, in lines with the commands that remove it: a container that has not ended is stopped by its. */
export function tellEngineLeftovers(tool: ContainerEngineFlavour, found: EngineContents): readonly string[] {
  const { containers, volumes } = oursOf(found);
  const lines = [...new Set(Object.values(WORDS))].flatMap((word) => {
    const those = containers.filter(({ state }) => WORDS[state] === word);
    const remove = word === STOPPED ? 'rm' : 'rm --force';
    return those.length === 0
      ? []
      : [`${countOf(those.length, 'container')}, ${word}: ${tool} ${remove} ${namesOf(those)}`];
  });
  if (volumes.length === 0) return lines;
  return [
    ...lines,
    `${countOf(volumes.length, 'volume')} with models: ${tool} volume rm ${namesOf(volumes)}`,
  ];
}

/**
 * What an engine holds that is the agent's own, and runs no longer once the agent is gone: its folder is what can be removed.
 *
 * @param found `null`: it was not asked, or did not answer
 */
export function tellOwnStorage(storage: string, found: EngineContents | null): string {
  const ours = found === null ? null : oursOf(found);
  const parts = [
    ...(ours?.containers.length ? [`${countOf(ours.containers.length, 'container')}, stopped`] : []),
    ...(ours?.volumes.length ? [`${countOf(ours.volumes.length, 'volume')} with models`] : []),
  ];
  const what = parts.length > 0 ? `${parts.join(', ')}, and images` : 'what it holds, models too';
  return `of the agent’s own Podman, ${what}: sudo rm -r ${storage}`;
}

function oursOf({ containers, volumes }: EngineContents): EngineContents {
  return {
    containers: containers.filter(({ labels }) => OUR_LABELS.some((label) => label in labels)),
    volumes: volumes.filter(({ name }) => name.startsWith('ai-fabric-')),
  };
}

function namesOf(found: readonly { readonly name: string }[]): string {
  return found.map(({ name }) => name).join(' ');
}
