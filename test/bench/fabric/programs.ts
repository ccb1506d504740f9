import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// From the compiled file's place in test/dist/bench/fabric.
const root = new URL('../../../../', import.meta.url);

/** What users start. */
export const programs = {
  controlPlane: fileURLToPath(new URL('control-plane/bin/ai-fabric.js', root)),
  agent: fileURLToPath(new URL('agent/bin/ai-fabric-agent.js', root)),
} as const;

/** The flags that a program's first line gives to Node, so that it is measured as it runs for users. */
export function nodeFlagsOf(program: string): string[] {
  const [firstLine = ''] = readFileSync(program, 'utf8').split('\n', 1);
  return firstLine.match(/ --\S+/g)?.map((flag) => flag.trim()) ?? [];
}

/** A compiled program of the benchmarks by its path from test/bench, without its ending. */
export function benchProgram(path: string): string {
  return fileURLToPath(new URL(`../${path}.js`, import.meta.url));
}
