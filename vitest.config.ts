import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/harness/longest-first.js';

const never = ['**/node_modules/**', '**/dist/**'];
/** Our compiled packages are loaded by Node itself: to be transformed, each process would take seconds. */
const server = { deps: { external: [/\/dist\//] } };
/** Where what takes long is left out, most of the real ones are skipped, and what is left waits as journeys do. */
const quick = process.env['AI_FABRIC_QUICK_TESTS'] === '1';
const shuffled = process.argv.some((arg) => arg.startsWith('--sequence.shuffle'));

/**
 * Three kinds of tests, one after the other, so that a journey that boots whole programs does not share the
 * processors with a hundred unit tests and lose its deadlines to them. Files of a kind share a few processes: one for
 * each, with its modules loaded anew, was most of what they took. They leave all as it was.
 */
export default defineConfig({
  test: {
    sequence: shuffled ? {} : { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          isolate: false,
          server,
          // One less than the processors, as usual, would be one on a small machine.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          setupFiles: 'test/harness/seed-property-tests.ts',
          // Property tests take seconds where the processors are shared; none of them waits for anything.
          testTimeout: 60_000,
          // A second, as it is otherwise, is nothing where the processors are shared.
          expect: { poll: { timeout: 30_000, interval: 20 } },
          include: [
            '{shared,agent,control-plane}/src/**/*.test.ts',
            'installers/**/*.test.ts',
            'test/{house,harness,simulators,bench,demo}/**/*.test.ts',
          ],
          exclude: never,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'journeys',
          isolate: false,
          server,
          include: ['test/journeys/**/*.test.ts', ...(quick ? ['test/real/**/*.test.ts'] : [])],
          exclude: never,
          testTimeout: quick ? 120_000 : 60_000,
          hookTimeout: quick ? 180_000 : 60_000,
          // Each waits for its programs a part of its time: four leave least of two processors without work.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // What they share and a machine has once, Wine's server or the names of network namespaces, each has for
        // itself (describeReal). They wait for it, and for machines that boot, most of their time.
        test: {
          name: 'real',
          // For what each leaves in its process.
          isolate: true,
          server,
          include: quick ? [] : ['test/real/**/*.test.ts'],
          exclude: never,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
