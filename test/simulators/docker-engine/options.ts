import type { SimulatedContainer } from './simulated-container.js';

export interface SimulatedCard {
  /** `GPU-…` */
  readonly uuid: string;
  readonly name: string;
}

/** What runs in a container. */
export interface ContainerProgram {
  /** With its exit code, whenever and however it ends. */
  readonly exited: Promise<number>;
  /** SIGTERM. A program that does not listen is killed when the grace is over. */
  terminate(): void;
  /** SIGKILL: it is gone when this resolves. */
  kill(): Promise<void>;
}

/** Starts what an image holds; an error that it throws fails the container's start with its message. */
export type StartProgram = (container: SimulatedContainer) => ContainerProgram | Promise<ContainerProgram>;

export interface SimulatedImage {
  /** Whole: `docker.io/vllm/vllm-openai:v0.32.0`. */
  readonly reference: string;
  /** `sha256:…`; by default made of the reference. */
  readonly digest?: string;
  readonly layers?: readonly { readonly id: string; readonly bytes: number }[];
  readonly start?: StartProgram;
}

/** How the next pull fails, after so many layers came through. */
export interface PullFailure {
  readonly message: string;
  readonly afterLayers?: number;
}

export interface DockerEngineOptions {
  /** Of the Unix socket, or a pipe: `\\.\pipe\docker_engine`. */
  readonly path: string;
  readonly flavour?: 'docker' | 'podman';
  readonly version?: string;
  readonly apiVersion?: string;
  readonly minApiVersion?: string;
  readonly desktop?: boolean;
  readonly rootless?: boolean;
  /** The host's; none by default. */
  readonly cards?: readonly SimulatedCard[];
  /** What this machine has. */
  readonly images?: readonly SimulatedImage[];
  /** What can be pulled. */
  readonly registry?: readonly SimulatedImage[];
  /** Of a layer's download, in milliseconds. */
  readonly layerMs?: number;
  /** What a real one answered to `/version` and `/info`, word for word. */
  readonly recorded?: { readonly version: string; readonly info: string };
  /** How often its progress is told; 4 times by default. */
  readonly layerSteps?: number;
}

/** An engine's refusal, with the status and the words that the real one has. */
export class EngineRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
