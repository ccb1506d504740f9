import type { VllmSimulatorOptions } from '../vllm/options.js';
import { readVllmArguments } from '../vllm/read-vllm-arguments.js';
import { startVllmSimulator, type VllmSimulator } from '../vllm/start-vllm-simulator.js';
import type { ContainerProgram, StartProgram } from './options.js';
import type { SimulatedContainer } from './simulated-container.js';
import { portTaken } from './simulated-engine.js';

export interface VllmProgramOptions {
  /** Until it listens. */
  readonly loadMs?: number;
  /** It dies while it loads, with these last words. */
  readonly dies?: (container: SimulatedContainer) => string | null;
  readonly vllm?: Partial<VllmSimulatorOptions>;
  /** Hears of each engine that starts. */
  readonly onEngine?: (engine: VllmSimulator, container: SimulatedContainer) => void;
}

/** What an image of vLLM holds: the simulated vLLM, in this process, on the container's published port. */
export function vllmProgram(options: VllmProgramOptions = {}): StartProgram {
  return async (container) => {
    const { argv, ports, name } = container.wish;
    const lastWords = options.dies?.(container) ?? null;
    const port = ports[0];
    if (port === undefined) throw new Error('a simulated vLLM needs a published port');
    let engine: VllmSimulator;
    try {
      engine = await startVllmSimulator({
        name,
        ...readVllmArguments(argv, container.environment),
        ...options.vllm,
        host: port.hostAddress,
        port: port.hostPort,
        load: lastWords === null ? (options.loadMs ?? 0) : 'on demand',
      });
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      throw taken ? new Error(portTaken(name, port.hostAddress, port.hostPort)) : error;
    }
    options.onEngine?.(engine, container);
    container.log(`INFO 11-24 22:00:00 [api_server.py:1899] vLLM API server version 0.32.0\n`);
    container.log(`INFO 11-24 22:00:01 [utils.py:325] non-default args: ${argv.join(' ')}\n`);
    const program = running(engine);
    if (lastWords !== null) {
      container.log(`${lastWords}\n`, 'stderr');
      setTimeout(() => program.end(1), options.loadMs ?? 0);
    }
    return program;
  };
}

function running(engine: VllmSimulator): ContainerProgram & { end: (exitCode: number) => void } {
  let end: (exitCode: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  // Its port is free again when it counts as ended, as it is for real.
  const exited = ended.then(async (exitCode) => {
    await engine.close();
    return exitCode;
  });
  return {
    exited,
    end,
    terminate: () => end(0),
    kill: async () => {
      end(137);
      await exited;
    },
  };
}
