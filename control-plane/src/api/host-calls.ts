/** What the routes ask of agents themselves: by command over the link, by request through the tunnel. */
export interface HostCalls {
  /**
   * Asks the agent itself for one of its own paths, `/agent/v1/…`.
   *
   * @param signal ends the request, its answer's body included
   * @returns `null`: the host has no tunnel
   * @throws when the tunnel broke, or on the signal
   */
  request(host: string, request: HostRequest, signal: AbortSignal): Promise<HostAnswer | null>;
  /**
   * Removes containers that carry our label and that nothing declares.
   *
   * @returns `null`: the host has no link
   */
  removeOrphans(
    host: string,
    containerIds: readonly string[],
    deadlineMs: number,
  ): Promise<CommandEnd> | null;
}

export interface HostRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
}

export interface HostAnswer {
  readonly status: number;
  /** Pulled: who does not read holds the agent back. */
  readonly body: AsyncIterable<Uint8Array>;
}

interface CommandEnd {
  readonly result: 'done' | 'failed' | 'refused' | 'expired';
  readonly code: string | null;
  readonly detail: string | null;
}
