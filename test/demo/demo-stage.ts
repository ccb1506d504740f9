import type { DemoEvent } from './describe-event.js';

/** Runs one step of a set-up, and tells of it. */
export type SetUpStep = (what: string, work: () => Promise<unknown>) => Promise<void>;

/** What a demo puts up, shows and takes down again. */
export interface DemoStage {
  /** Where its files are; they stay where something failed. */
  readonly directory: string;
  /** @param scripted a tour follows, which does itself what it shows */
  start(step: SetUpStep, scripted: boolean): Promise<void>;
  /** @returns whether all of it held */
  takeTour(tell: (event: DemoEvent) => void): Promise<boolean>;
  /** What a person can do with it while it is up. */
  invitation(): DemoEvent;
  readScreen(): Promise<readonly string[]>;
  /** `null` while the control plane runs; else the end of its log. */
  endOfControlPlane(): string | null;
  /** At any time, also in the middle of `start`. */
  close(keepFiles: boolean): Promise<void>;
}
