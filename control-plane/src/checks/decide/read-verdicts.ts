/**
 * What the gateway says of each target that it did not ask, from `x-fabric-reason`: `host_away; a=host_away, b=full`.
 * A header that was cut short has lost its last ones.
 */
export function readVerdicts(reason: string): ReadonlyMap<string, string> {
  const verdicts = new Map<string, string>();
  const [, list = ''] = reason.split('; ', 2);
  for (const part of list.split(', ')) {
    const at = part.lastIndexOf('=');
    if (at > 0 && !part.endsWith('...')) verdicts.set(part.slice(0, at), part.slice(at + 1));
  }
  return verdicts;
}
