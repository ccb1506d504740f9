import { rmSync, writeFileSync } from 'node:fs';
import type { Endpoint } from './cli/api-client.js';
import type { Listeners } from './http/listeners.js';

/** Tells the operator's commands on this machine where the control plane answers. Holds no secret. */
export function writeEndpointFile(
  file: string,
  listeners: Pick<Listeners, 'plainUrls' | 'tlsUrls'>,
  certificateSha256: string,
  adminTokenFile: string,
): void {
  const url = listeners.tlsUrls[0] ?? listeners.plainUrls[0];
  if (url === undefined) return;
  const reachable = url.replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:');
  const endpoint: Endpoint = { url: reachable, certificateSha256, adminTokenFile, pid: process.pid };
  writeFileSync(file, `${JSON.stringify(endpoint, null, 2)}\n`, { mode: 0o600 });
}

export function removeEndpointFile(file: string): void {
  rmSync(file, { force: true });
}
