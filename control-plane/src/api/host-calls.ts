import type { CommandOutcome } from './require-done.js';

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
  ): Promise<CommandOutcome> | null;
  /**
   * Gives the cards of a host to its owner, or takes that back. Done when the agent knows it; the cards are freed later.
   *
   * @returns `null`: the host has no link; `too_old`: its agent does not know of owners
   */
  tellOwner(
    host: string,
    verb: 'yield' | 'unyield',
    deadlineMs: number,
  ): Promise<CommandOutcome> | 'too_old' | null;
  /**
   * Tells a host's agent of a newer one. Done when that one has offered it to its owner, or begun.
   *
   * @returns `null`: the host has no link; `too_old`: its agent cannot be offered anything
   */
  offerUpgrade(
    host: string,
    offer: { readonly version: string; readonly manifestSha256: string },
    deadlineMs: number,
  ): Promise<CommandOutcome> | 'too_old' | null;
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
