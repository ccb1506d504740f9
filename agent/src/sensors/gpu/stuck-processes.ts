/**
 * The nvidia-smi processes that were killed and did not die. Stream and inventory share one, so that neither starts
 * another beside a process that hangs in the driver: it would hang as well.
 */
export interface StuckProcesses {
  /** @param isGone asked again and again until it answers true once */
  add(isGone: () => boolean): void;
  any(): boolean;
}

export function stuckProcesses(): StuckProcesses {
  let stuck: (() => boolean)[] = [];
  return {
    add: (isGone) => {
      stuck.push(isGone);
    },
    any: () => {
      stuck = stuck.filter((isGone) => !isGone());
      return stuck.length > 0;
    },
  };
}
