/** Docker or Podman, as far as the agent needs it. Every call has a deadline of its own beside the caller's signal. */
export interface ContainerEngine {
  /** Looks for the engine anew. Never rejects, save for an aborted signal: an engine that is away is an answer. */
  probe(signal: AbortSignal): Promise<ContainerEngineProbe>;
  /** @returns `null` where this machine does not have it */
  findImage(reference: string, signal: AbortSignal): Promise<ImageInfo | null>;
  /** Ends early, with `aborted`, on the signal; layers that are whole stay for the next try. */
  pull(reference: string, options: PullOptions, signal: AbortSignal): Promise<ImageInfo>;
  /** All containers of the machine, running or not, foreign ones too. */
  list(signal: AbortSignal): Promise<readonly ContainerSummary[]>;
  /** @returns `null` where there is none */
  inspect(idOrName: string, signal: AbortSignal): Promise<ContainerDetails | null>;
  /** Creates it, and does not start it. The image must be there. */
  create(spec: ContainerSpec, signal: AbortSignal): Promise<{ readonly id: string }>;
  /** Starts it; one that runs is left as it is. */
  start(id: string, signal: AbortSignal): Promise<void>;
  /** Asks it to end, and kills it after the grace; one that does not run is left as it is. */
  stop(id: string, graceSeconds: number, signal: AbortSignal): Promise<void>;
  /** Removes it, running or not, with its anonymous volumes; one that is gone is no error. */
  remove(id: string, signal: AbortSignal): Promise<void>;
  /** Runs a program in a running container. Its output, both streams in order, is cut at 64 KB. */
  exec(id: string, argv: readonly string[], signal: AbortSignal): Promise<ExecResult>;
  /** Ends with the container when it follows, else with the last line. */
  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine>;
  /**
   * What happens to containers from now on. It never ends by itself: it waits for an engine that is away, and asks for
   * what was missed, so that one may come twice. After `resynced` something may be missing all the same: list anew. One
   * comes at the beginning too.
   */
  events(signal: AbortSignal): AsyncIterable<ContainerEvent>;
  /** Makes the volume unless it is there. */
  ensureVolume(name: string, labels: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>;
  /** One that is gone is no error; one that a container uses is a `conflict`. */
  removeVolume(name: string, signal: AbortSignal): Promise<void>;
  listVolumes(signal: AbortSignal): Promise<readonly VolumeInfo[]>;
  /** Ends every call that is under way. */
  close(): Promise<void>;
}

export type ContainerEngineFlavour = 'docker' | 'podman';

export interface ContainerEngineInfo {
  readonly flavour: ContainerEngineFlavour;
  readonly version: string;
  /** Of Docker's API, which Podman speaks too: `1.41`. */
  readonly apiVersion: string;
  readonly rootless: boolean;
  /** Docker Desktop: a virtual machine that stands and falls with a signed-in user. */
  readonly desktop: boolean;
  /** Where it keeps images and volumes, in its own words: of Docker Desktop a path within its virtual machine. */
  readonly storagePath: string | null;
  /** Path of the socket or pipe. */
  readonly endpoint: string;
}

export type ContainerEngineProbe =
  | { readonly reachable: true; readonly info: ContainerEngineInfo }
  | {
      readonly reachable: false;
      readonly code: 'engine_unreachable' | 'sign_in_needed' | 'engine_too_old';
      readonly detail: string;
      readonly fix: string;
    };

export interface ImageInfo {
  readonly id: string;
  /** `repository@sha256:…` */
  readonly digests: readonly string[];
  readonly sizeBytes: number;
}

export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
}

export interface PullOptions {
  readonly auth?: RegistryAuth;
  readonly onProgress: (progress: PullProgress) => void;
}

/** Sums over the layers that were named so far: totals grow while the engine finds out. */
export interface PullProgress {
  /** `null` where the engine tells no bytes (Podman). */
  readonly doneBytes: number | null;
  readonly totalBytes: number | null;
  readonly layersDone: number;
  readonly layersKnown: number;
  /** One line for people. */
  readonly text: string;
}

export type ContainerState =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead'
  | 'unknown';

export interface ContainerSummary {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerState;
  /** As it was asked for; an id where the tag has moved on. */
  readonly image: string;
  readonly createdAtMs: number;
}

export interface ContainerDetails extends ContainerSummary {
  readonly imageId: string;
  /** Of the last run; `null` while it runs, or where it never did. */
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** The engine's own words about a start that failed; empty else. */
  readonly stateError: string;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly ports: readonly PublishedPort[];
  /** Entrypoint and arguments; what follows a secret's flag (`--api-key`, `--hf-token`) is masked. */
  readonly command: readonly string[];
  /** Values are secrets and stay with the engine. */
  readonly environmentNames: readonly string[];
  readonly mounts: readonly ContainerMount[];
  /** `no`, `always`, … */
  readonly restartPolicy: string;
  readonly networkMode: string;
  readonly privileged: boolean;
  /** Cards as they were asked for: UUIDs, indices, CDI names, or `all`. Whether they are seen inside only `exec` can tell. */
  readonly gpus: readonly string[];
}

export interface PublishedPort {
  /** `127.0.0.1`; `0.0.0.0` where it is open to all. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly containerPort: number;
}

export interface ContainerMount {
  readonly kind: 'volume' | 'bind' | 'other';
  /** A volume's name, or a path on the host. */
  readonly source: string;
  /** In the container. */
  readonly path: string;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  /** Instead of the image's own. */
  readonly entrypoint?: readonly string[];
  /** Arguments for the entrypoint. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** UUIDs as `nvidia-smi -L` has them: `GPU-…` or `MIG-…`. */
  readonly gpus: { readonly uuids: readonly string[] } | 'none';
  readonly publish: readonly PublishedPort[];
  readonly volumes: readonly { readonly volume: string; readonly path: string }[];
  readonly shmBytes: number;
  readonly memoryLimitBytes: number | null;
  /** For hosts with SELinux, which else keep a container from its card. */
  readonly securityLabelDisable: boolean;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly output: string;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly sinceMs?: number;
  readonly tailLines?: number;
}

export interface LogLine {
  /** `null` where the engine gave no time. */
  readonly atMs: number | null;
  readonly stream: 'stdout' | 'stderr';
  /** At most 4,096 characters; what was cut off is counted at its end. */
  readonly text: string;
}

/** `restart`, `rename`, `exec_…` and the like are left out. */
export type ContainerEventKind =
  | 'create'
  | 'start'
  | 'die'
  | 'stop'
  | 'kill'
  | 'remove'
  | 'pause'
  | 'unpause'
  | 'oom';

export interface ContainerHappening {
  readonly kind: ContainerEventKind;
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly atMs: number;
  /** With `die`. */
  readonly exitCode: number | null;
}

export type ContainerEvent = ContainerHappening | { readonly kind: 'resynced' };

export interface VolumeInfo {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}
