import type { LiveView } from '../live/live-view.js';

/**
 * Calls `onReady` each time a replica comes back to where it can serve: its phase turned ready, or its host
 * returned with it ready. A host that was merely late was never gone, and does not count.
 *
 * @returns a function that ends the watch
 */
export function watchReady(live: LiveView, onReady: (deployment: string) => void): () => void {
  const ready = new Set<string>();
  const observe = (deployment: string): void => {
    const wasReady = ready.has(deployment);
    const isReady = canServe(live, deployment);
    if (isReady && !wasReady) {
      ready.add(deployment);
      onReady(deployment);
    } else if (!isReady && wasReady) {
      ready.delete(deployment);
    }
  };
  for (const replica of live.replicas())
    if (canServe(live, replica.deployment)) ready.add(replica.deployment);
  return live.onChange((change) => {
    switch (change.kind) {
      case 'replica':
        observe(change.replica.deployment);
        break;
      case 'replicaRemoved':
        ready.delete(change.deployment);
        break;
      case 'host':
      case 'hostRemoved': {
        const name = change.kind === 'host' ? change.host.name : change.name;
        for (const replica of live.replicas()) if (replica.host === name) observe(replica.deployment);
        break;
      }
      case 'sample':
        break;
    }
  });
}

function canServe(live: LiveView, deployment: string): boolean {
  const replica = live.replica(deployment);
  if (replica === undefined || replica.status.phase !== 'ready') return false;
  const presence = live.host(replica.host)?.presence ?? 'unseen';
  return presence !== 'away' && presence !== 'unseen';
}
