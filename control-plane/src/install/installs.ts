import { compareVersions, type ReleaseManifest } from '@ai-fabric/shared';
import { type InstallLines, writeInstallLines } from './decide/write-install-lines.js';
import type { ReleaseFolder } from './release-folder.js';

/** What the control API tells of the release that lies here. */
export interface Installs {
  /**
   * What is pasted on a new host. `null`: there is no release.
   *
   * @param server where the host reaches the TLS listener
   */
  lines(wanted: { server: string; token: string; hostName: string | null }): Promise<InstallLines | null>;
  /** The release, read anew where it was replaced; `null`: there is none. */
  release(): Promise<OfferedRelease | null>;
  /** The version that is newer than an agent's, as of the last look; `null`: none. */
  newerThan(agentVersion: string | null): string | null;
}

export interface OfferedRelease {
  readonly version: string;
  readonly manifestSha256: string;
  /** Whether it has an agent for a system, as inventories name them. */
  readonly hasAgentFor: (os: string) => boolean;
}

const SCRIPTS = { linux: 'agent.sh', windows: 'agent.ps1' } as const;

/** @param keyPin of the TLS listener's certificate */
export function createInstalls(folder: ReleaseFolder, keyPin: string): Installs {
  const scriptSha256 = async (os: 'linux' | 'windows', manifest: ReleaseManifest): Promise<string | null> => {
    const script = folder.artefact(SCRIPTS[os]);
    if (script === null || !hasAgentFor(manifest, os)) return null;
    return (await folder.check(script)).ok ? script.sha256 : null;
  };
  return {
    lines: async (wanted) => {
      const release = await folder.look();
      if (release === null) return null;
      const { manifest } = release;
      const scripts = {
        linux: await scriptSha256('linux', manifest),
        windows: await scriptSha256('windows', manifest),
      };
      return writeInstallLines({ ...wanted, keyPin, scripts });
    },
    release: async () => {
      const release = await folder.look();
      if (release === null) return null;
      const { manifest, manifestSha256 } = release;
      return {
        ...{ version: manifest.version, manifestSha256 },
        hasAgentFor: (os) => hasAgentFor(manifest, os),
      };
    },
    newerThan: (agentVersion) => {
      // Asked for on every listing: the next one sees what was put there meanwhile.
      void folder.look();
      const version = folder.latest?.manifest.version;
      if (version === undefined || agentVersion === null) return null;
      return (compareVersions(version, agentVersion) ?? 0) > 0 ? version : null;
    },
  };
}

function hasAgentFor({ artefacts }: ReleaseManifest, os: string): boolean {
  return artefacts.some((each) => each.kind === 'agent' && each.os === os);
}
