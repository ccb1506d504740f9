import { fileURLToPath } from 'node:url';

// From the compiled file's place in test/dist/bench/fabric.
const root = new URL('../../../../', import.meta.url);

/** What users start. */
export const programs = {
  controlPlane: fileURLToPath(new URL('control-plane/bin/ai-fabric.js', root)),
  agent: fileURLToPath(new URL('agent/bin/ai-fabric-agent.js', root)),
} as const;

/** A compiled program of the benchmarks by its path from test/bench, without its ending. */
export function benchProgram(path: string): string {
  return fileURLToPath(new URL(`../${path}.js`, import.meta.url));
}
