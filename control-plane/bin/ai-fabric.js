#!/usr/bin/env -S node --max-semi-space-size=4
// Of its own accord V8 grows the young generation to 48 MB; 12 MB cost no measurable time (docs/BENCHMARKS.md).
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/cli/main.js', import.meta.url);

if (existsSync(program)) {
  await import(program.href);
} else {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  process.stderr.write(`ai-fabric is not built yet: run 'npm run build' in ${root}, then try again.\n`);
  process.exitCode = 1;
}
