import type { Registry } from 'prom-client';
import type { Spool } from '../gateway/body/spool.js';
import type { ConnectionGauge } from '../http/listeners.js';
import { addLiveCounter, addLiveGauge } from './live-gauge.js';

/** The connections of each listener, and the large bodies that came in through them. */
export function addFrontDoorMetrics(
  registry: Registry,
  connections: () => readonly ConnectionGauge[],
  spool: Pick<Spool, 'bytes' | 'files' | 'totalBytes'>,
): void {
  const listener = ['listener'] as const;
  addLiveGauge(
    registry,
    { name: 'ai_fabric_open_connections', help: 'Connections that are open now', labelNames: listener },
    () => connections().map((each) => ({ labels: { listener: each.listener }, value: each.open })),
  );
  addLiveCounter(
    registry,
    {
      name: 'ai_fabric_refused_connections_total',
      help: 'Connections that found no place, since start: AI_FABRIC_MAX_CONNECTIONS were in use',
      labelNames: listener,
    },
    () => connections().map((each) => ({ labels: { listener: each.listener }, value: each.refused })),
  );
  const one = (value: number) => [{ labels: {}, value }];
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_spooled_bytes',
      help: 'What large request bodies take of the disk now',
      labelNames: [],
    },
    () => one(spool.bytes),
  );
  addLiveGauge(
    registry,
    { name: 'ai_fabric_spooled_bodies', help: 'Large request bodies on the disk now', labelNames: [] },
    () => one(spool.files),
  );
  addLiveCounter(
    registry,
    {
      name: 'ai_fabric_spooled_bytes_total',
      help: 'What large request bodies have written to the disk, since start',
      labelNames: [],
    },
    () => one(spool.totalBytes),
  );
}
