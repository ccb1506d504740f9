import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILD } from '@ai-fabric/shared';
import { ConfigError } from './config-error.js';
import { type ControlPlaneConfig, LOG_LEVELS } from './control-plane-config.js';
import { chooseDataDirectory } from './decide/choose-data-directory.js';
import { chooseReleaseDirectory } from './decide/choose-release-directory.js';
import {
  type GivenSetting,
  pickGiven,
  readAddresses,
  readChoice,
  readPorts,
  readWholeNumber,
  type SettingResult,
} from './decide/read-setting.js';
import type { Environment } from './environment.js';

/** What the command line may say; it wins over the environment. Texts as they were typed. */
export interface ControlPlaneFlags {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly host?: readonly string[] | string | undefined;
  readonly port?: string | undefined;
  readonly tlsPort?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly releaseDir?: string | undefined;
}

const MIB = 1024 * 1024;
const port = (fallback: number) => ({ least: 0, most: 65_535, fallback, what: 'a port' });

/**
 * Flags, then AI_FABRIC_* variables (CONFIG, DATA, HOST, PORT, TLS_PORT, LOG_LEVEL, RELEASE_DIR,
 * MAX_BODY_BYTES, MAX_MULTIPART_BYTES, BODY_TIMEOUT_SECONDS, MAX_CONNECTIONS, CLOSE_GRACE_SECONDS, WAKE_PORTS), then defaults.
 *
 * @throws ConfigError with every setting that cannot be used
 */
export function readControlPlaneConfig(
  flags: ControlPlaneFlags = {},
  environment: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): ControlPlaneConfig {
  const problems: string[] = [];
  const take = <Value>(result: SettingResult<Value>, fallback: Value): Value => {
    if (result.ok) return result.value;
    problems.push(result.problem);
    return fallback;
  };
  const given = (flag: string, text: string | undefined, variable: string): GivenSetting =>
    pickGiven({ name: flag, text }, { name: variable, text: environment[variable] });

  const fabricFile = given('--config', flags.config, 'AI_FABRIC_CONFIG').text;
  const releaseDirectory = given('--release-dir', flags.releaseDir, 'AI_FABRIC_RELEASE_DIR').text;
  const hosts = given('--host', joinHosts(flags.host), 'AI_FABRIC_HOST');
  const config: ControlPlaneConfig = {
    dataDirectory: readDataDirectory(flags.data, environment, platform),
    fabricFile: fabricFile === undefined ? null : resolve(fabricFile),
    listenHosts: Object.freeze(take(readAddresses(hosts, ['0.0.0.0', '::']), [])),
    port: take(readWholeNumber(given('--port', flags.port, 'AI_FABRIC_PORT'), port(8000)), 0),
    tlsPort: take(readWholeNumber(given('--tls-port', flags.tlsPort, 'AI_FABRIC_TLS_PORT'), port(8443)), 0),
    logLevel: take(
      readChoice(given('--log-level', flags.logLevel, 'AI_FABRIC_LOG_LEVEL'), LOG_LEVELS, 'info'),
      'info',
    ),
    ...readLimits(given, take),
    releaseDirectory: releaseDirectory === undefined ? usualReleaseDirectory() : resolve(releaseDirectory),
    wakePorts: Object.freeze(take(readPorts(given('', undefined, 'AI_FABRIC_WAKE_PORTS'), [9, 7]), [])),
  };
  if (config.port !== 0 && config.port === config.tlsPort) {
    problems.push(`--tls-port: expected another port than --port, found ${config.tlsPort} for both`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

function usualReleaseDirectory(): string | null {
  return chooseReleaseDirectory(fileURLToPath(import.meta.url), BUILD.packaged);
}

/** Where the control plane of this machine has its data, for commands that only look for it. */
export function readDataDirectory(
  flag: string | undefined,
  environment: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { text } = pickGiven(
    { name: '--data', text: flag },
    { name: 'AI_FABRIC_DATA', text: environment['AI_FABRIC_DATA'] },
  );
  return resolve(
    text ??
      chooseDataDirectory({
        platform,
        isRoot: process.getuid?.() === 0,
        homeDirectory: homedir(),
        xdgDataHome: environment['XDG_DATA_HOME'],
        programData: environment['ProgramData'],
      }),
  );
}

function readLimits(
  given: (flag: string, text: undefined, variable: string) => GivenSetting,
  take: <Value>(result: SettingResult<Value>, fallback: Value) => Value,
): Pick<
  ControlPlaneConfig,
  'maxBodyBytes' | 'maxMultipartBytes' | 'bodyTimeoutSeconds' | 'maxConnections' | 'closeGraceSeconds'
> {
  const read = (variable: string, bounds: Parameters<typeof readWholeNumber>[1]): number =>
    take(readWholeNumber(given('', undefined, variable), bounds), 0);
  const bytes = { least: 1024, most: 1024 * MIB, fallback: 32 * MIB, what: 'a number of bytes' };
  const seconds = { least: 1, most: 3600, fallback: 60, what: 'a number of seconds' };
  const connections = { least: 16, most: 100_000, fallback: 4096, what: 'a number of connections' };
  const grace = { least: 0, most: 3600, fallback: 10, what: 'a number of seconds' };
  return {
    maxBodyBytes: read('AI_FABRIC_MAX_BODY_BYTES', bytes),
    maxMultipartBytes: read('AI_FABRIC_MAX_MULTIPART_BYTES', { ...bytes, fallback: 200 * MIB }),
    bodyTimeoutSeconds: read('AI_FABRIC_BODY_TIMEOUT_SECONDS', seconds),
    maxConnections: read('AI_FABRIC_MAX_CONNECTIONS', connections),
    closeGraceSeconds: read('AI_FABRIC_CLOSE_GRACE_SECONDS', grace),
  };
}

function joinHosts(hosts: readonly string[] | string | undefined): string | undefined {
  return typeof hosts === 'object' ? hosts.join(',') : hosts;
}
