/** Where a replica's engine listens on this host, and the key that it asks for. */
export interface EngineAddress {
  readonly host: string;
  readonly port: number;
  readonly key: string | null;
}

/** Such as `http://127.0.0.1:8000`. */
export function engineUrl({ host, port }: Pick<EngineAddress, 'host' | 'port'>): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
