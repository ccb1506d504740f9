import { configureGlobal } from 'fast-check';

/**
 * Set up before each file of unit tests: every property test draws the same values in every run, so that a run
 * that fails fails again. `FAST_CHECK_SEED=random` looks for what these values do not show, and a number repeats
 * what such a run has found (fast-check names its seed).
 */
const wish = process.env['FAST_CHECK_SEED'] ?? '1';
if (wish !== 'random') {
  const seed = Number(wish);
  if (wish === '' || !Number.isSafeInteger(seed)) {
    throw new Error(`FAST_CHECK_SEED is "${wish}": random, or a whole number`);
  }
  configureGlobal({ seed });
}
