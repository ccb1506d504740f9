import type { NamedPolicy } from './lab-policy.js';
import { ours } from './ours.js';
import { llmD } from './rivals/llm-d.js';
import { oracle } from './rivals/oracle.js';
import { sglangCacheAware } from './rivals/sglang-cache-aware.js';
import { leastInFlight, powerOfTwo, randomChoice, roundRobin } from './rivals/simple-rivals.js';

/** Everything that a scenario can be run with, ours first. */
export const policies: readonly NamedPolicy[] = [
  ours,
  oracle,
  roundRobin,
  randomChoice,
  leastInFlight,
  powerOfTwo,
  llmD,
  sglangCacheAware,
];

/** What a user could pick instead: all but ourselves and the oracle. */
export const rivalNames: readonly string[] = policies
  .filter((policy) => policy !== ours && policy !== oracle)
  .map(({ name }) => name);
