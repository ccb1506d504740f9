import { existsSync } from 'node:fs';
import type {
  DesiredReplica,
  GpuInventory,
  GpuReading,
  ReplicaPhase,
  ReplicaStatus,
} from '@ai-fabric/shared';
import type { ReplicaMemory } from '../container/replica-memory.js';
import { knownFootprint } from '../fit/known-footprint.js';
import type { RecipeHost } from './open-recipe.js';

export interface RecipeHostParts {
  readonly cards: () => readonly GpuInventory[];
  readonly readings: () => Readonly<Record<string, GpuReading>>;
  readonly desired: () => readonly DesiredReplica[];
  readonly statuses: () => readonly ReplicaStatus[];
  readonly memory: ReplicaMemory;
  readonly platform: NodeJS.Platform;
}

const LOADING: ReadonlySet<ReplicaPhase> = new Set(['starting', 'loading', 'warming']);
const RUNNING: ReadonlySet<ReplicaPhase> = new Set(['ready', 'draining']);
/** There only where SELinux is at work. */
const SELINUX = '/sys/fs/selinux/enforce';

/** What a recipe must know of the host, from what is measured and kept anyway. */
export function recipeHost(parts: RecipeHostParts): Omit<RecipeHost, 'variables'> {
  const { cards, readings, desired, statuses, memory, platform } = parts;
  const on = (card: string, phases: ReadonlySet<ReplicaPhase>): readonly string[] =>
    statuses()
      .filter(({ phase, container }) => container !== null && phases.has(phase))
      .map(({ deployment }) => deployment)
      .filter((deployment) => memory.replica(deployment).cards.includes(card));
  const footprintOf = (card: string, deployment: string): number => {
    const replica = desired().find((each) => each.deployment === deployment);
    if (replica?.engine !== 'vllm') return 0;
    return knownFootprint(memory, card, replica) ?? 0;
  };
  return {
    cards,
    reading: (card) => readings()[card] ?? null,
    isLoading: (card) => on(card, LOADING).length > 0,
    replicasBytes: (card) =>
      on(card, RUNNING).reduce((sum, deployment) => sum + footprintOf(card, deployment), 0),
    linkAddress: () => memory.linkAddress,
    wddm: platform === 'win32',
    securityLabels: platform === 'linux' && existsSync(SELINUX),
  };
}
