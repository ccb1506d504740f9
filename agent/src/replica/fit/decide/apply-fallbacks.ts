import type { Fallback, VllmReplica } from '@ai-fabric/shared';

/** The declaration with its first so many fallbacks in force; a later one says only what it changes. */
export function applyFallbacks(desired: VllmReplica, rung: number): VllmReplica {
  const smaller: Partial<Pick<VllmReplica, keyof Fallback>> = {};
  for (const { contextTokens, maxConcurrent, gpuMemoryRatio } of desired.fallbacks.slice(0, rung)) {
    if (contextTokens !== undefined) smaller.contextTokens = contextTokens;
    if (maxConcurrent !== undefined) smaller.maxConcurrent = maxConcurrent;
    if (gpuMemoryRatio !== undefined) smaller.gpuMemoryRatio = gpuMemoryRatio;
  }
  return { ...desired, ...smaller };
}

/** How many cards share the model, by the arguments that split it. */
export function cardCountOf({ extraArguments, gpu }: VllmReplica): number {
  if (gpu.select === 'none') return 0;
  const split = (option: string): number => {
    const value = argumentValue(extraArguments, option);
    const count = Number(value ?? 1);
    return Number.isInteger(count) && count >= 1 && count <= 16 ? count : 1;
  };
  return split('--tensor-parallel-size') * split('--pipeline-parallel-size');
}

/** Of `--option value` or `--option=value`; the last one counts, as in the engine. */
export function argumentValue(argv: readonly string[], option: string): string | null {
  let found: string | null = null;
  for (const [index, argument] of argv.entries()) {
    const [name = '', ...rest] = argument.split('=');
    if (name.replaceAll('_', '-') !== option) continue;
    found = rest.length > 0 ? rest.join('=') : (argv[index + 1] ?? null);
  }
  return found;
}
