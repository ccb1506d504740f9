import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ContainerProgram, StartProgram } from '../../simulators/docker-engine/options.js';
import type { LanHost } from './lan.js';

/** Built, as the programs are. */
const PROGRAM = fileURLToPath(new URL('../../dist/real/podman/vllm-container-program.js', import.meta.url));

export interface LanEngineOptions {
  /** The address of its host that it listens at; every one by default. */
  readonly address?: string;
  readonly port: number;
  readonly tokensPerSecond?: number;
}

/** A simulated vLLM as a process on a host of the LAN, listening there. */
export class LanEngine implements ContainerProgram {
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;

  constructor(
    host: LanHost,
    argv: readonly string[],
    environment: Readonly<Record<string, string>>,
    options: LanEngineOptions,
  ) {
    const { address, port, tokensPerSecond } = options;
    this.#child = spawn('ip', ['netns', 'exec', host.namespace, process.execPath, PROGRAM, ...argv], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        ...environment,
        ...(address === undefined ? {} : { SIMULATED_HOST: address }),
        SIMULATED_PORT: String(port),
        ...(tokensPerSecond === undefined
          ? {}
          : { SIMULATED_TOKENS_PER_SECOND: String(tokensPerSecond), SIMULATED_REPLY_TOKENS: '5000' }),
      },
    });
    this.exited = once(this.#child, 'exit').then(([code]) => (typeof code === 'number' ? code : 137));
  }

  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

/** What an image of vLLM holds, for containers of a host of the LAN. */
export function lanEngineProgram(
  host: LanHost,
  options: Omit<LanEngineOptions, 'address' | 'port'>,
): StartProgram {
  return ({ wish, environment }) => {
    const [published] = wish.ports;
    if (published === undefined) throw new Error('a simulated vLLM needs a published port');
    const { hostAddress: address, hostPort: port } = published;
    return new LanEngine(host, wish.argv, environment, { ...options, address, port });
  };
}
