/** What the machine's CDI specs know of a card. */
export type CdiState = 'no_spec' | 'unknown_device' | 'known_device';

const KIND = /["']?kind["']?\s*:\s*["']?nvidia\.com\/gpu["']?/;

/** Reads CDI specs (YAML or JSON) by their words alone: the engine reads them for real. */
export function judgeCdiSpecs(specs: readonly string[], uuid: string): CdiState {
  const ours = specs.filter((text) => KIND.test(text));
  if (ours.length === 0) return 'no_spec';
  return ours.some((text) => text.includes(uuid)) ? 'known_device' : 'unknown_device';
}
