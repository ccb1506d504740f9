/** What the routes ask of hosts' lives. Each change is committed before it returns. */
export interface HostLife {
  setDraining(hostName: string, draining: boolean): void;
  /** What the registry holds of a host that has joined; `null` for one that has not. */
  record(hostName: string): HostRecordFacts | null;
  /** Requests of ours that run now on any of these deployments. */
  requestsInFlight(deployments: ReadonlySet<string>): number;
  hasLink(hostName: string): boolean;
  conflict(hostName: string): {
    readonly kind: 'another_agent' | 'another_key' | 'another_machine';
    readonly linkedFrom: string | null;
    readonly triedFrom: string;
    readonly firstTryMs: number;
    readonly lastTryMs: number;
    readonly tries: number;
  } | null;
  /** @returns false when there was none */
  clearConflict(hostName: string): boolean;
  revoke(hostName: string): void;
  remove(hostName: string): void;
}

export interface HostRecordFacts {
  readonly identity: {
    readonly enrolledAtMs: number;
    /** Of the DER form of the host's public key. */
    readonly keySha256: string;
    readonly machineSha256: string;
  };
  /** Newest first. */
  readonly events: readonly {
    readonly atMs: number;
    readonly event: string;
    readonly detail: string | null;
  }[];
}
