import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { cdiSpecs } from './cdi-specs.js';
import { ContainerCalls } from './container-calls.js';
import type { ContainerEngine } from './container-engine.js';
import { listEndpoints } from './decide/list-endpoints.js';
import { EngineCalls } from './engine-calls.js';
import { EngineSession } from './engine-session.js';
import { readEvents } from './event-stream.js';
import { execInContainer } from './exec-call.js';
import { ImageCalls } from './image-calls.js';
import { readLogs } from './log-stream.js';
import { VolumeCalls } from './volume-calls.js';

export interface ContainerEngineOptions {
  /** Paths of sockets or pipes, the only ones that are tried; by default where engines put theirs. */
  readonly endpoints?: readonly string[];
  /** `XDG_RUNTIME_DIR`, for a rootless engine. */
  readonly runtimeDirectory?: string | null;
  readonly platform: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where CDI specs are, if not where every engine looks. */
  readonly cdiFolders?: readonly string[];
}

/** This machine's container engine. It is looked for when it is first needed, and again when it was lost. */
export function openContainerEngine(options: ContainerEngineOptions): ContainerEngine {
  const { platform, clock, log, runtimeDirectory = null } = options;
  const endpoints = options.endpoints ?? listEndpoints({ platform, runtimeDirectory });
  const session = new EngineSession({ endpoints, platform, clock, log });
  const calls = new EngineCalls(session);
  const containers = new ContainerCalls(calls, cdiSpecs(options.cdiFolders));
  const images = new ImageCalls(calls);
  const volumes = new VolumeCalls(calls);
  const closing = new AbortController();
  return {
    probe: (signal) => session.probe(signal),
    findImage: (reference, signal) => images.find(reference, signal),
    pull: (reference, wish, signal) => images.pull(reference, wish, signal),
    list: (signal) => containers.list(signal),
    inspect: (idOrName, signal) => containers.inspect(idOrName, signal),
    create: (spec, signal) => containers.create(spec, signal),
    start: (id, signal) => containers.start(id, signal),
    stop: (id, graceSeconds, signal) => containers.stop(id, graceSeconds, signal),
    remove: (id, signal) => containers.remove(id, signal),
    exec: (id, argv, signal) => execInContainer({ calls, clock }, id, argv, signal),
    logs: (id, wish, signal) => readLogs(calls, id, wish, signal),
    events: (signal) => readEvents({ calls, clock, closing: closing.signal }, signal),
    ensureVolume: (name, labels, signal) => volumes.ensure(name, labels, signal),
    removeVolume: (name, signal) => volumes.remove(name, signal),
    listVolumes: (signal) => volumes.list(signal),
    close: () => {
      closing.abort();
      session.close();
      return Promise.resolve();
    },
  };
}
