/** Where a replica's engine listens on this host, and the key that it asks for. */
export interface EngineAddress {
  readonly host: string;
  readonly port: number;
  readonly key: string | null;
}
