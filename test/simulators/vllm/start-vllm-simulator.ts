import type { Timer } from '@ai-fabric/shared';
import type { RecordedRequest } from '../common/request-record.js';
import { StoppableServer } from '../common/stoppable-server.js';
import { Engine } from './engine.js';
import { INFERENCE_PATHS, type VllmFault, vllmFaultSchema } from './faults.js';
import { VllmHttp } from './http-server.js';
import { resolveVllmOptions, type VllmSettings, type VllmSimulatorOptions } from './options.js';

/** A vLLM server without a GPU. */
export interface VllmSimulator {
  readonly name: string;
  /** `http://host:port`, whether or not it listens. */
  readonly url: string;
  readonly port: number;
  readonly listening: boolean;
  /** The latest requests, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** The latest requests to inference paths. */
  readonly inferenceRequests: readonly RecordedRequest[];
  /** Inference requests taken and not yet answered, those in the engine's queue included. */
  readonly inFlight: number;
  readonly running: number;
  readonly waiting: number;
  /** Inference requests whose client hung up first. */
  readonly aborted: number;
  /** Opens the port now, if it is not open. */
  load(): Promise<void>;
  /** Breaks it; `{ kind: 'none' }` mends all but a crash, which `restart()` mends. */
  fault(fault: VllmFault): Promise<void>;
  /** A new engine process on the same port: counters at zero, faults gone. `load` as in the options, `0` without it. */
  restart(load?: VllmSimulatorOptions['load']): Promise<void>;
  forgetRequests(): void;
  close(): Promise<void>;
}

/**
 * Starts a simulated vLLM.
 *
 * @throws the system's error when the port is taken
 */
export async function startVllmSimulator(options: VllmSimulatorOptions): Promise<VllmSimulator> {
  const process = new VllmProcess(resolveVllmOptions(options));
  await process.begin(options.load ?? 0);
  return process;
}

class VllmProcess implements VllmSimulator {
  readonly #settings: VllmSettings;
  readonly #server: StoppableServer;
  readonly #http: VllmHttp;
  #engine: Engine;
  #loading: Timer | null = null;
  #closed = false;

  constructor(settings: VllmSettings) {
    this.#settings = settings;
    this.#engine = new Engine(settings);
    this.#http = new VllmHttp(
      settings,
      () => this.#engine,
      (fault) => this.fault(fault),
    );
    this.#server = new StoppableServer(
      (request, response) => void this.#http.handle(request, response),
      settings,
    );
  }

  get name(): string {
    return this.#settings.name;
  }
  get url(): string {
    return `http://${this.#settings.host}:${this.#server.port}`;
  }
  get port(): number {
    return this.#server.port;
  }
  get listening(): boolean {
    return this.#server.listening;
  }
  get requests(): readonly RecordedRequest[] {
    return this.#http.record.all;
  }
  get inferenceRequests(): readonly RecordedRequest[] {
    return this.requests.filter((request) => INFERENCE_PATHS.includes(request.path));
  }
  get inFlight(): number {
    return this.#http.inFlight;
  }
  get running(): number {
    return this.#engine.running;
  }
  get waiting(): number {
    return this.#engine.waiting;
  }
  get aborted(): number {
    return this.#http.aborted;
  }

  /** The process is there; its port opens when the model is loaded. */
  async begin(load: number | 'on demand'): Promise<void> {
    if (load === 0) return this.load();
    await this.#server.reservePort();
    if (load === 'on demand') return;
    // A port that somebody took meanwhile shows itself as a simulator that never loads.
    this.#loading = this.#settings.clock.after(load, () => void this.load().catch(() => {}));
  }

  async load(): Promise<void> {
    this.#loading?.cancel();
    if (this.#closed || this.#server.listening) return;
    this.#engine = new Engine(this.#settings);
    this.#http.down = false;
    await this.#server.start();
  }

  async fault(input: VllmFault): Promise<void> {
    const fault = vllmFaultSchema.parse(input);
    if (fault.kind === 'crash') return this.#kill();
    if (fault.kind === 'engineDead') this.#engine.dead = true;
    else if (fault.kind === 'externalLoad') this.#engine.external = fault;
    else if (fault.kind === 'none') this.#mend();
    else this.#http.faults.set(fault);
  }

  async restart(load: number | 'on demand' = 0): Promise<void> {
    await this.#kill();
    this.#http.faults.set(null);
    await this.begin(load);
  }

  forgetRequests(): void {
    this.#http.record.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#kill();
  }

  #mend(): void {
    this.#http.faults.set(null);
    this.#engine.dead = false;
    this.#engine.external = { running: 0, waiting: 0, kvUsage: 0 };
  }

  async #kill(): Promise<void> {
    this.#loading?.cancel();
    this.#http.down = true;
    await this.#server.stop();
  }
}
