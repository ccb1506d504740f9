export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything that `startControlPlane` needs; made by `config/` from flags and environment, frozen. */
export interface ControlPlaneConfig {
  readonly dataDirectory: string;
  /** Seeds an empty registry; afterwards only compared. */
  readonly fabricFile: string | null;
  /**
   * Addresses to listen on; both `0.0.0.0` and `::` by default, so `::` is to be opened for IPv6 alone. One that
   * is not there yet (a tailnet's at boot, `::` on a machine without IPv6) is waited for, not fatal.
   */
  readonly listenHosts: readonly string[];
  /** 0: any free port. */
  readonly port: number;
  readonly tlsPort: number;
  /** At the start; an operator may change it while the program runs. */
  readonly logLevel: LogLevel;
  /** Largest JSON body that `/v1` takes, in bytes. */
  readonly maxBodyBytes: number;
  /** Largest form (an audio file with what is asked of it), in bytes. */
  readonly maxMultipartBytes: number;
  /** A request whose body has not arrived whole after this long is answered 408. */
  readonly bodyTimeoutSeconds: number;
  /** Connections that each address and port holds at the same time. */
  readonly maxConnections: number;
  /** How long requests and streams may go on after the control plane was told to stop. */
  readonly closeGraceSeconds: number;
  /** With what hosts install from; `null`: this program has none. */
  readonly releaseDirectory: string | null;
  /** UDP ports that magic packets are sent to. */
  readonly wakePorts: readonly number[];
}
