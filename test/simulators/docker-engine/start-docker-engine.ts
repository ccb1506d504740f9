import { EngineHttp, type EngineMood } from './engine-http.js';
import type { DockerEngineOptions, PullFailure } from './options.js';
import type { SimulatedContainer } from './simulated-container.js';
import { SimulatedEngine, type SimulatedVolume } from './simulated-engine.js';

/** Docker, or Podman, without containers: its API on a socket or pipe, and programs that run in this process. */
export interface DockerEngineSimulator {
  readonly path: string;
  readonly containers: readonly SimulatedContainer[];
  readonly volumes: readonly SimulatedVolume[];
  /** Method and path of each request so far, the API's version left out. */
  readonly requests: readonly string[];
  /** What came with each pull. */
  readonly pullCredentials: readonly (string | null)[];
  /** How many listen to its events. */
  readonly listeners: number;
  /** @throws Error when there is none */
  container(idOrName: string): SimulatedContainer;
  /** Somebody, or the kernel, kills what runs in it. */
  kill(idOrName: string, why?: { exitCode?: number; oom?: boolean }): Promise<void>;
  /** Somebody does it by hand. */
  start(idOrName: string): Promise<void>;
  stop(idOrName: string): Promise<void>;
  pause(idOrName: string): void;
  unpause(idOrName: string): void;
  remove(idOrName: string): Promise<void>;
  /** Containers that are made from now on do not get the cards that they were promised, and nobody says so. */
  loseGpus(): void;
  /** The cards vanish out of one that runs, as after `systemctl daemon-reload`. */
  loseGpusOf(idOrName: string): void;
  failNextPull(failure: PullFailure): void;
  failNextStart(message: string): void;
  /** As many events as wished, of a foreign container. */
  flood(events: number): void;
  setMood(mood: EngineMood): void;
  /** The engine goes away; containers and their programs stay. */
  vanish(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a simulated engine. @throws the system's error when its path cannot be had */
export async function startDockerEngine(options: DockerEngineOptions): Promise<DockerEngineSimulator> {
  const engine = new SimulatedEngine(options);
  const http = new EngineHttp(engine, options);
  await http.listen();
  return simulator(engine, http, options.path);
}

function simulator(engine: SimulatedEngine, http: EngineHttp, path: string): DockerEngineSimulator {
  return {
    path,
    get containers() {
      return engine.containers;
    },
    get volumes() {
      return [...engine.volumes.values()];
    },
    get requests() {
      return http.requests;
    },
    get pullCredentials() {
      return engine.images.credentials;
    },
    get listeners() {
      return engine.events.listeners;
    },
    container: (idOrName) => engine.get(idOrName),
    kill: (idOrName, why) => engine.kill(engine.get(idOrName), why),
    start: (idOrName) => engine.start(engine.get(idOrName)),
    stop: (idOrName) => engine.stop(engine.get(idOrName), 10),
    pause: (idOrName) => engine.pause(engine.get(idOrName)),
    unpause: (idOrName) => engine.unpause(engine.get(idOrName)),
    remove: (idOrName) => engine.remove(engine.get(idOrName)),
    loseGpus: () => {
      engine.losesGpus = true;
    },
    loseGpusOf: (idOrName) => {
      engine.get(idOrName).visibleUuids = [];
    },
    failNextPull: (failure) => void engine.images.failures.push(failure),
    failNextStart: (message) => void engine.startFailures.push(message),
    flood: (events) => {
      for (let at = 0; at < events; at += 1) {
        engine.events.push('container', at % 2 === 0 ? 'start' : 'die', 'f'.repeat(64), {
          name: 'flood',
          exitCode: '1',
        });
      }
    },
    setMood: (mood) => {
      http.mood = mood;
    },
    vanish: () => http.stop(),
    comeBack: () => http.listen(),
    close: async () => {
      await http.stop();
      await engine.close();
    },
  };
}
