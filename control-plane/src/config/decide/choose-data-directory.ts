export interface DataDirectoryFacts {
  readonly platform: string;
  readonly isRoot: boolean;
  readonly homeDirectory: string;
  readonly xdgDataHome: string | undefined;
  readonly programData: string | undefined;
}

/** Where a control plane keeps its data when nobody says so. Absolute, in the platform's own form. */
export function chooseDataDirectory(facts: DataDirectoryFacts): string {
  if (facts.platform === 'win32') return `${facts.programData || 'C:\\ProgramData'}\\ai-fabric`;
  if (facts.isRoot && facts.platform === 'linux') return '/var/lib/ai-fabric';
  // The XDG specification has relative values ignored.
  const { xdgDataHome } = facts;
  const base = xdgDataHome?.startsWith('/') ? xdgDataHome : `${facts.homeDirectory}/.local/share`;
  return `${base}/ai-fabric`;
}
