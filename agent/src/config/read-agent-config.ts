import { existsSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join, posix, resolve, win32 } from 'node:path';
import { nameSchema } from '@ai-fabric/shared';
import { parseEndpoint } from '../containers/decide/parse-endpoint.js';
import { RECORD_FILE } from '../install/linux/decide/linux-paths.js';
import { type WindowsRoots, windowsPaths } from '../install/windows/decide/windows-paths.js';
import { type AgentConfig, ConfigError, type LogLevel, logLevels } from './agent-config.js';
import { chooseStateDirectory } from './decide/choose-state-directory.js';
import { isServiceState } from './decide/is-service-state.js';
import { makeHostName } from './decide/make-host-name.js';
import { parseServerUrl } from './decide/parse-server-url.js';

/** What the command line may say; it wins over the environment. */
export interface AgentFlags {
  readonly state?: string | undefined;
  readonly policy?: string | undefined;
  readonly name?: string | undefined;
  readonly server?: string | undefined;
  readonly logLevel?: string | undefined;
}

export interface Environment {
  readonly [name: string]: string | undefined;
  readonly SystemRoot?: string | undefined;
  readonly ProgramFiles?: string | undefined;
  readonly ProgramData?: string | undefined;
  readonly LOCALAPPDATA?: string | undefined;
  readonly XDG_STATE_HOME?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly CREDENTIALS_DIRECTORY?: string | undefined;
}

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly default: number;
}

const SECOND_TO_MINUTE: Omit<Bounds, 'default'> = { least: 250, most: 60_000 };
const MIB = 1024 * 1024;

/**
 * Flags, then AI_FABRIC_AGENT_* variables, then defaults.
 *
 * @throws ConfigError naming the setting, what it holds and what it may hold
 */
export function readAgentConfig(
  flags: AgentFlags = {},
  environment: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): AgentConfig {
  const read = (name: string): string | undefined =>
    environment[`AI_FABRIC_AGENT_${name}`]?.trim() || undefined;
  const whole = (name: string, bounds: Bounds): number => readWhole(name, read(name), bounds);
  const stateDirectory = resolve(
    flags.state ?? read('STATE') ?? defaultStateDirectory(environment, platform),
  );
  const folders = systemFolders(environment);
  return Object.freeze({
    stateDirectory,
    isService: isServiceState({ platform, stateDirectory, roots: folders, isThere: existsSync }),
    policyPath: resolve(flags.policy ?? read('POLICY') ?? join(stateDirectory, 'agent.yaml')),
    hostName: readHostName(flags.name ?? read('NAME')),
    serverUrl: readServer(flags.server ?? read('SERVER')),
    nvidiaSmiPath: readToolPath(read('NVIDIA_SMI'), platform),
    containerEnginePath: readContainerEngine(read('CONTAINER_ENGINE')),
    runtimeDirectory: environment.XDG_RUNTIME_DIR || null,
    credentialsDirectory: environment.CREDENTIALS_DIRECTORY || null,
    ...readKeeper(read('HELPER'), platform),
    powerShimPath: read('POWER_SHIM') ?? null,
    simulatedInterfacesPath: read('SIMULATED_INTERFACES') ?? null,
    gpuCadenceMs: whole('GPU_CADENCE_MS', { ...SECOND_TO_MINUTE, default: 2_000 }),
    hostCadenceMs: whole('HOST_CADENCE_MS', { ...SECOND_TO_MINUTE, default: 2_000 }),
    engineCadenceMs: whole('ENGINE_CADENCE_MS', { ...SECOND_TO_MINUTE, default: 1_000 }),
    bufferBytes: whole('BUFFER_BYTES', { least: 64 * 1024, most: 512 * MIB, default: 8 * MIB }),
    logLevel: readLogLevel(flags.logLevel ?? read('LOG_LEVEL')),
    platform,
    folders: Object.freeze(folders),
  });
}

function systemFolders(environment: Environment): WindowsRoots {
  return {
    windows: environment.SystemRoot ?? 'C:\\Windows',
    programFiles: environment.ProgramFiles ?? 'C:\\Program Files',
    programData: environment.ProgramData ?? 'C:\\ProgramData',
    localAppData: environment.LOCALAPPDATA || null,
  };
}

/** What an install leaves where everybody may look. */
function isInstalledHere(environment: Environment, platform: NodeJS.Platform): boolean {
  if (platform === 'linux') return existsSync(RECORD_FILE);
  return platform === 'win32' && existsSync(windowsPaths(systemFolders(environment)).wrapper);
}

function defaultStateDirectory(environment: Environment, platform: NodeJS.Platform): string {
  return chooseStateDirectory({
    platform,
    isRoot: process.getuid?.() === 0,
    isInstalled: isInstalledHere(environment, platform),
    homeDirectory: homedir(),
    xdgStateHome: environment.XDG_STATE_HOME,
    programData: environment.ProgramData,
  });
}

function readHostName(given: string | undefined): string {
  if (given === undefined) return makeHostName(hostname());
  const parsed = nameSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    `The host name ${JSON.stringify(given)} (--name, AI_FABRIC_AGENT_NAME) is not usable: ` +
      `${parsed.error.issues[0]?.message ?? 'invalid'}; for example ${JSON.stringify(makeHostName(given))}.`,
  );
}

/** The inventory is read by a library that runs the bare name in this folder: a tool of another name is not found. */
function readToolPath(given: string | undefined, platform: NodeJS.Platform): string | null {
  if (given === undefined) return null;
  const { basename, isAbsolute } = platform === 'win32' ? win32 : posix;
  const name = platform === 'win32' ? basename(given).toLowerCase() : basename(given);
  const wanted =
    platform === 'win32' ? ['nvidia-smi.exe', 'nvidia-smi.cmd', 'nvidia-smi.bat'] : ['nvidia-smi'];
  if (isAbsolute(given) && wanted.includes(name)) return given;
  throw new ConfigError(
    `AI_FABRIC_AGENT_NVIDIA_SMI is ${JSON.stringify(given)}; it must be the absolute path of a file that is called ` +
      `${wanted[0]}: one of another name is linked or moved into a folder of its own under that name.`,
  );
}

function readServer(given: string | undefined): string | null {
  if (given === undefined) return null;
  const parsed = parseServerUrl(given);
  if (parsed.ok) return parsed.address.url;
  throw new ConfigError(`The server (--server, AI_FABRIC_AGENT_SERVER): ${parsed.detail}`);
}

function readContainerEngine(given: string | undefined): string | null {
  if (given === undefined) return null;
  const parsed = parseEndpoint(given);
  if (parsed.ok) return parsed.path;
  throw new ConfigError(`The container engine (AI_FABRIC_AGENT_CONTAINER_ENGINE): ${parsed.detail}`);
}

/** What an install made a service of the agent with. */
function readKeeper(
  given: string | undefined,
  platform: NodeJS.Platform,
): Pick<AgentConfig, 'asksHelper' | 'replacesItself'> {
  const own = platform === 'win32' ? 'nssm' : 'systemd';
  if (given === undefined || given === own) {
    return { asksHelper: given === 'systemd', replacesItself: given === 'nssm' };
  }
  throw new ConfigError(
    `AI_FABRIC_AGENT_HELPER is ${JSON.stringify(given)}; it may only be "${own}", which the service of an install sets.`,
  );
}

function readLogLevel(given: string | undefined): LogLevel {
  const level = logLevels.find((known) => known === (given ?? 'info').toLowerCase());
  if (level) return level;
  throw new ConfigError(
    `The log level ${JSON.stringify(given)} (--log-level, AI_FABRIC_AGENT_LOG_LEVEL) is none of ${logLevels.join(', ')}.`,
  );
}

function readWhole(
  name: string,
  text: string | undefined,
  { least, most, default: fallback }: Bounds,
): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new ConfigError(
    `AI_FABRIC_AGENT_${name} is ${JSON.stringify(text)}; it must be a whole number from ${least} to ${most}.`,
  );
}
