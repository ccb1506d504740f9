import type { LiveView } from '../live/live-view.js';

/**
 * Calls `onReady` each time a replica comes back to where it can serve: its phase turned ready, or its host
 * returned with it ready. A host that was merely late was never gone, and does not count.
 *
 * @param onReady `wasDown`: it was seen not to be able to; else this is the first that is heard of it
 *
 * @returns a function that ends the watch
 */
export function watchReady(
  live: LiveView,
  onReady: (deployment: string, wasDown: boolean) => void,
): () => void {
  const ready = new Set<string>();
  const down = new Set<string>();
  const observe = (deployment: string): void => {
    const wasReady = ready.has(deployment);
    const isReady = canServe(live, deployment);
    if (isReady && !wasReady) {
      ready.add(deployment);
      onReady(deployment, down.delete(deployment));
    } else if (!isReady) {
      ready.delete(deployment);
      if (wasReady || isKnownDown(live, deployment)) down.add(deployment);
    }
  };
  for (const { deployment } of live.replicas()) {
    if (canServe(live, deployment)) ready.add(deployment);
    else if (isKnownDown(live, deployment)) down.add(deployment);
  }
  return live.onChange((change) => {
    switch (change.kind) {
      case 'replica':
        observe(change.replica.deployment);
        break;
      case 'replicaRemoved':
        ready.delete(change.deployment);
        down.delete(change.deployment);
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

/** A host that has not joined yet says nothing of its replicas: after a restart of ours they may have been ready all along. */
function isKnownDown(live: LiveView, deployment: string): boolean {
  const replica = live.replica(deployment);
  return replica !== undefined && replica.status.phase !== 'ready' && replica.status.phase !== 'absent';
}

function canServe(live: LiveView, deployment: string): boolean {
  const replica = live.replica(deployment);
  if (replica === undefined || replica.status.phase !== 'ready') return false;
  const presence = live.host(replica.host)?.presence ?? 'unseen';
  return presence !== 'away' && presence !== 'unseen';
}
