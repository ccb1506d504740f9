#!/usr/bin/env -S node --no-memory-reducer --v8-pool-size=1
// An agent that has nothing to do is what V8's memory reducer waits for: it collects all of a heap of 13 MB, lets go of
// compiled code, and costs more than ten seconds of work. One thread is enough to help with so small a heap.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/program/main.js', import.meta.url);

if (existsSync(program)) {
  await import(program.href);
} else {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  process.stderr.write(`ai-fabric-agent is not built yet: run 'npm run build' in ${root}, then try again.\n`);
  process.exitCode = 1;
}
