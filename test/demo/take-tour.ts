import type { DemoEvent } from './describe-event.js';

/** One step of a tour: what is shown, and how it is checked. `run` returns what was seen, in a line. */
export interface TourStep<Fabric> {
  readonly title: string;
  run(fabric: Fabric): Promise<string>;
}

/** Takes every step and tells of each; goes on after one that did not hold. @returns whether all of them held */
export async function takeTour<Fabric>(
  tour: readonly TourStep<Fabric>[],
  fabric: Fabric,
  tell: (event: DemoEvent) => void,
): Promise<boolean> {
  let held = 0;
  tell({ kind: 'tour_began' });
  for (const [index, { title, run }] of tour.entries()) {
    const step = { kind: 'step', number: index + 1, title } as const;
    try {
      tell({ ...step, held: true, detail: await run(fabric) });
      held++;
    } catch (error) {
      tell({ ...step, held: false, detail: error instanceof Error ? error.message : String(error) });
    }
  }
  const allHeld = held === tour.length;
  tell({ kind: 'tour_ended', held, steps: tour.length, allHeld });
  return allHeld;
}
