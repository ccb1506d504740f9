import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The scenarios that come with the laboratory, by name in alphabetical order. */
export function shippedScenarios(): ReadonlyMap<string, string> {
  // The files stay beside the sources; what is compiled lies in test/dist.
  const here = import.meta.dirname.includes(join('test', 'dist'))
    ? new URL('../../../bench/routing/scenarios/', import.meta.url)
    : new URL('./scenarios/', import.meta.url);
  const folder = fileURLToPath(here);
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  return new Map(files.sort().map((file) => [basename(file, '.yaml'), join(folder, file)]));
}
