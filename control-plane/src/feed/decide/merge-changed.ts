import { type Changed, cover } from './feed-entry.js';

/** What things were before both of two changes, the earlier one first. Neither is altered. */
export function mergeChanged(earlier: Changed, later: Changed): Changed {
  const backfilled = new Map(earlier.backfilled);
  for (const [host, stretch] of later.backfilled) backfilled.set(host, cover(backfilled.get(host), stretch));
  return {
    // What it was before the first of them counts.
    hosts: new Map([...later.hosts, ...earlier.hosts]),
    replicas: new Map([...later.replicas, ...earlier.replicas]),
    backfilled,
  };
}
