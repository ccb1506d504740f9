export const SERVICE = 'ai-fabric-agent';
export const INSTALL_LOCK = '\\\\.\\pipe\\ai-fabric-agent-install';
/** Brings an upgrade to its end; it starts with Windows while there is one, and otherwise by hand alone. */
export const UPGRADE_SERVICE = 'ai-fabric-agent-upgrade';
/** The task that starts Docker Desktop when its owner signs in. */
export const LOGON_TASK = 'AI Fabric Agent - Docker Desktop';
export const PROGRAM_NAME = 'ai-fabric-agent.exe';
/** Makes a service of a program that does not speak to the service manager: Node does not. */
export const WRAPPER_NAME = 'nssm.exe';

/** Where the registry has what a service is. */
export function serviceKey(name: string): string {
  return `HKLM\\SYSTEM\\CurrentControlSet\\Services\\${name}`;
}
/** By it the event log finds the texts of what the wrapper tells it; the wrapper makes it by itself. */
export const EVENT_SOURCE_KEY = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\NSSM';

/** Where Windows has its own folders: they differ from one machine to the next. */
export interface WindowsRoots {
  readonly windows: string;
  readonly programFiles: string;
  readonly programData: string;
  /** Of whoever runs this; `null`: Windows did not say. */
  readonly localAppData: string | null;
}

export interface WindowsPaths {
  readonly programFolder: string;
  /** A folder for each version that was installed, and is not gone yet. */
  readonly versionsFolder: string;
  readonly wrapper: string;
  /** So that a person finds the program: it starts the version that runs as the service. */
  readonly command: string;
  /** The folder above, which other programs of ours may share. */
  readonly vendorFolder: string;
  /** State, key and settings: the service's own account and the administrators may read it. */
  readonly dataFolder: string;
  readonly policyFile: string;
  readonly keyFile: string;
  readonly recordFile: string;
  readonly logFolder: string;
  readonly logFile: string;
  /**
   * Where Docker Desktop's own installer puts it: for all users, or for one, which is what whoever installs can start.
   * https://docs.docker.com/desktop/setup/install/windows-install/
   */
  readonly dockerDesktops: readonly string[];
  /** Of a tool of Windows: services and elevated shells have paths of their own. */
  tool(name: string): string;
}

function join(...parts: readonly string[]): string {
  return parts.join('\\');
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

/** Where an agent is on Windows, as a service. */
export function windowsPaths(roots: WindowsRoots): WindowsPaths {
  const { windows, programFiles, programData, localAppData } = roots;
  const programFolder = join(programFiles, 'AI Fabric Agent');
  const vendorFolder = join(programData, 'AI Fabric');
  const dataFolder = join(vendorFolder, 'agent');
  const logFolder = join(dataFolder, 'logs');
  return {
    programFolder,
    versionsFolder: join(programFolder, 'versions'),
    wrapper: join(programFolder, WRAPPER_NAME),
    command: join(programFolder, 'ai-fabric-agent.cmd'),
    vendorFolder,
    dataFolder,
    policyFile: join(dataFolder, 'agent.yaml'),
    keyFile: join(dataFolder, 'host-key.pem'),
    recordFile: join(dataFolder, 'installed.json'),
    logFolder,
    logFile: join(logFolder, 'agent.log'),
    dockerDesktops: [
      join(programFiles, 'Docker', 'Docker'),
      ...(localAppData === null ? [] : [join(localAppData, 'Programs', 'DockerDesktop')]),
    ].map((folder) => join(folder, 'Docker Desktop.exe')),
    tool: (name) => join(windows, 'System32', `${name}.exe`),
  };
}
