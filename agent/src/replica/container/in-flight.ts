/** The open requests of a deployment, as whoever lets them in counts them. */
export interface InFlight {
  count(deployment: string): number;
  /** Resolves when there is none, or on the signal. */
  whenIdle(deployment: string, signal: AbortSignal): Promise<void>;
}
