import type { NamedPolicy } from '../lab-policy.js';
import { PrefixTrees } from './prefix-trees.js';
import { InFlight, pickLeast, rival } from './rival.js';

const IMBALANCED_BY = 32;
const IMBALANCED_TIMES = 1.1;
const MATCH_RATE = 0.5;

/**
 * SGLang's cache-aware policy: while loads are in balance a prompt goes where most of it was sent before, and where
 * little of it was anywhere, to the replica that holds the least; out of balance to the one with the fewest requests.
 * Source: SGLang's router, `policies/cache_aware.rs`, with its defaults.
 */
export const sglangCacheAware: NamedPolicy = rival('sglang-cache-aware', (port) => {
  const inFlight = new InFlight(port.replicas.length);
  const trees = new PrefixTrees(port.replicas.length);
  return {
    sent: (request, replica) => {
      inFlight.change(replica, 1);
      trees.add(request, replica);
    },
    ended: (_request, replica) => inFlight.change(replica, -1),
    choose: (request, among) => {
      const loads = among.map((replica) => inFlight.of(replica));
      const most = Math.max(...loads);
      const least = Math.min(...loads);
      if (most - least > IMBALANCED_BY && most > IMBALANCED_TIMES * least) {
        return pickLeast(among, (replica) => inFlight.of(replica), port.random);
      }
      const matched = pickLeast(among, (replica) => -trees.match(request, replica), port.random);
      if (trees.match(request, matched) > MATCH_RATE) return matched;
      return pickLeast(among, (replica) => trees.size(replica), port.random);
    },
  };
});
