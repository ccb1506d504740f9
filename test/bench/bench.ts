import type { Machine } from './machine/machine.js';

/** A benchmark: what it measures, and how it is run. */
export interface Bench {
  readonly name: string;
  /** One line for `--help`. */
  readonly measures: string;
  readonly figures: readonly FigureDefinition[];
  /** What its command line takes beside what all take. */
  readonly options?: readonly BenchOption[];
  run(context: BenchContext): Promise<Measured>;
}

export interface BenchOption {
  /** Without the dashes. */
  readonly name: string;
  /** What stands for its value in `--help`; `null`: it takes none. */
  readonly value: string | null;
  readonly meaning: string;
}

/** What was asked for cannot be: the message says what and where. */
export class BenchUsageError extends Error {}

export interface FigureDefinition {
  readonly name: string;
  readonly meaning: string;
  /** What it should reach; `null` where it is only shown. */
  readonly limit: Limit | null;
  /** How the rounds become one figure; `lower95`, `upper95`: the bounds of the 95 % interval of their geometric mean. */
  readonly from: 'median' | 'mean' | 'greatest' | 'lower95' | 'upper95';
}

export type Limit = { readonly atLeast: number } | { readonly atMost: number };

export interface BenchContext {
  readonly rounds: number;
  readonly machine: Machine;
  /** Of this run alone; removed at its end. */
  readonly directory: string;
  /** Where the measured program's CPU profiles go; `null`: none are taken. */
  readonly profileDirectory: string | null;
  /** Of the options that the bench takes, those that were given; one that takes no value is `true`. */
  readonly options: Readonly<Record<string, string>>;
  /** Says on standard error what goes on. */
  progress(line: string): void;
  /** Prints what the bench has to show beside its figures, ahead of them. */
  show(text: string): void;
  /** What must be undone, last first, however the run ends. */
  atEnd(undo: () => Promise<void> | void): void;
}

export interface Measured {
  /** By figure, one value for each round; further names are for information. */
  readonly rounds: Readonly<Record<string, readonly number[]>>;
  /** Figures that could not be measured here, and why. */
  readonly leftOut: readonly LeftOut[];
  /** What a reader must know to read the figures. */
  readonly notes: readonly string[];
}

export interface LeftOut {
  readonly figure: string;
  readonly reason: string;
}
