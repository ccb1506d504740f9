import type { Registry } from 'prom-client';
import type { TunnelGauge } from '../tunnel/tunnel-book.js';
import { addLiveGauge } from './live-gauge.js';

/** The open tunnels; a host without one has no line. */
export function addTunnelMetrics(registry: Registry, tunnels: () => readonly TunnelGauge[]): void {
  addLiveGauge(
    registry,
    { name: 'ai_fabric_tunnels_open', help: 'Hosts with a tunnel', labelNames: [] },
    () => [{ labels: {}, value: tunnels().length }],
  );
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_tunnel_streams',
      help: "Requests under way in a host's tunnel",
      labelNames: ['host'],
    },
    () => tunnels().map(({ host, openStreams }) => ({ labels: { host }, value: openStreams })),
  );
}
