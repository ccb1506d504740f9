import type { WakeArming } from '@ai-fabric/shared';

/** ethtool's letter for a magic packet. */
const MAGIC = 'g';

/**
 * What `ethtool IF` says of waking. `null`: nothing, as it does for whoever is not root, and for interfaces without a
 * card.
 */
export function parseEthtool(text: string): WakeArming | null {
  const supports = /^\s*Supports Wake-on:\s*([a-z]+)\s*$/m.exec(text)?.[1];
  const wakes = /^\s*Wake-on:\s*([a-z]+)\s*$/m.exec(text)?.[1];
  if (supports === undefined && wakes === undefined) return null;
  const supported = supports === undefined ? null : supports.includes(MAGIC);
  const armed = wakes === undefined ? null : wakes.includes(MAGIC);
  const said = [
    ...(supports === undefined ? [] : [`Supports Wake-on: ${supports}`]),
    ...(wakes === undefined ? [] : [`Wake-on: ${wakes}`]),
  ];
  return { supported, armed, detail: said.join(', ').slice(0, 200) };
}
