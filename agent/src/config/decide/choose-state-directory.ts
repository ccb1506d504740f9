export interface StateDirectoryFacts {
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** An agent is installed as a service: it is the one that is meant, whoever asks. */
  readonly isInstalled: boolean;
  readonly homeDirectory: string;
  readonly xdgStateHome: string | undefined;
  readonly programData: string | undefined;
}

const FOLDER = 'ai-fabric-agent';

/** Where an agent keeps its state unless told otherwise: the system's place for a service, the user's for a user. */
export function chooseStateDirectory(facts: StateDirectoryFacts): string {
  if (facts.platform === 'win32') {
    const programData = facts.programData ?? 'C:\\ProgramData';
    return facts.isInstalled ? `${programData}\\AI Fabric\\agent` : `${programData}\\${FOLDER}`;
  }
  if (facts.platform === 'linux' && (facts.isRoot || facts.isInstalled)) return `/var/lib/${FOLDER}`;
  // The XDG specification: a relative path is invalid and must be ignored.
  const xdg = facts.xdgStateHome?.startsWith('/') ? facts.xdgStateHome : undefined;
  return `${xdg ?? `${facts.homeDirectory}/.local/state`}/${FOLDER}`;
}
