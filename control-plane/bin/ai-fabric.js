#!/usr/bin/env -S node --max-semi-space-size=8 --heap-growing-percent=35 --v8-pool-size=1 --no-concurrent-array-buffer-sweeping
// Of its own accord V8 lets young objects have 48 MB, and lets the heap double before it looks for what is dead: with
// 1,000 agents that is 40 MB of last second's samples. Four threads that help it collect so small a heap cost more
// than they save: one does (docs/BENCHMARKS.md).
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/program/main.js', import.meta.url);

if (existsSync(program)) {
  await import(program.href);
} else {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  process.stderr.write(`ai-fabric is not built yet: run 'npm run build' in ${root}, then try again.\n`);
  process.exitCode = 1;
}
