import type { BenchContext, FigureDefinition, Measured } from '../bench.js';

/** One side of installing, which can be measured without the others. */
export interface InstallPart {
  /** As `--only` names it. */
  readonly name: string;
  readonly figures: readonly FigureDefinition[];
  measure(context: BenchContext): Promise<Measured>;
}
