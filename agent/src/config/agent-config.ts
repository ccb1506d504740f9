/** Everything that a person can set about an agent. Read once, at start, and frozen. */
export interface AgentConfig {
  /** Holds the key, what was joined, and the socket that `status` asks. */
  readonly stateDirectory: string;
  /** The state directory is that of the service which an install made: on Linux its key lies elsewhere. */
  readonly isService: boolean;
  /** The host owner's policy; the file need not be there. */
  readonly policyPath: string;
  /** The name that `join` asks for; afterwards the control plane's answer holds. */
  readonly hostName: string;
  /** Another way to the same control plane than the one it was joined by; the pinned certificate stays. */
  readonly serverUrl: string | null;
  readonly nvidiaSmiPath: string | null;
  /** Path of the container engine's socket or pipe; `null` looks where engines put theirs. */
  readonly containerEnginePath: string | null;
  /** `XDG_RUNTIME_DIR`, where a rootless engine has its socket. */
  readonly runtimeDirectory: string | null;
  /** Where systemd puts the key for the service, readable for it alone; `null`: the key lies in the state directory. */
  readonly credentialsDirectory: string | null;
  /** What only root may is asked of a unit that an install made. */
  readonly asksHelper: boolean;
  /** It is a service of Windows that an install made, which puts a newer one in its own place. */
  readonly replacesItself: boolean;
  /** For tests: what would be done to the machine's power is written to this file instead. */
  readonly powerShimPath: string | null;
  /** For simulated machines, of which one computer runs several: a file of JSON with their interfaces. */
  readonly simulatedInterfacesPath: string | null;
  readonly gpuCadenceMs: number;
  readonly hostCadenceMs: number;
  readonly engineCadenceMs: number;
  /** How much telemetry is kept while the link is down. */
  readonly bufferBytes: number;
  readonly logLevel: LogLevel;
  readonly platform: NodeJS.Platform;
  readonly folders: SystemFolders;
}

/** Where Windows keeps things; of no meaning elsewhere. */
export interface SystemFolders {
  readonly windows: string;
  readonly programFiles: string;
  readonly programData: string;
  /** Of whoever runs this; `null`: Windows did not say. */
  readonly localAppData: string | null;
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A setting that cannot be used. The message names the setting, what was found and what is expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
