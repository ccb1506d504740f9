/** NVML's clocks-event-reasons bits (nvml.h, `nvmlClocksEventReason…`), in words. */
const REASONS: readonly (readonly [bit: number, words: string])[] = [
  [0x1, 'idle'],
  [0x2, 'application clocks setting'],
  [0x4, 'power cap (software)'],
  [0x8, 'hardware slowdown'],
  [0x10, 'sync boost'],
  [0x20, 'thermal slowdown (software)'],
  [0x40, 'thermal slowdown (hardware)'],
  [0x80, 'power brake (hardware)'],
  [0x100, 'display clocks setting'],
];
const KNOWN = REASONS.reduce((mask, [bit]) => mask | bit, 0);

/** What kept a card's clocks down. A bit that has no name yet is named by its number. */
export function nameThrottleReasons(mask: number): string[] {
  const named = REASONS.filter(([bit]) => (mask & bit) !== 0).map(([, words]) => words);
  const unknown = mask & ~KNOWN;
  return unknown === 0 ? named : [...named, `unknown (0x${(unknown >>> 0).toString(16)})`];
}
