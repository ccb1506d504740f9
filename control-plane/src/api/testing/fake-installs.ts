import { compareVersions } from '@ai-fabric/shared';
import type { InstallLines } from '../../install/decide/write-install-lines.js';
import type { Installs, OfferedRelease } from '../../install/installs.js';

/** No release, until a test puts one there: with an agent for Linux alone. */
export class FakeInstalls implements Installs {
  version: string | null = null;

  async lines({ token }: { readonly token: string }): Promise<InstallLines | null> {
    return this.version === null ? null : { linux: `install with ${token}`, windows: null };
  }

  async release(): Promise<OfferedRelease | null> {
    if (this.version === null) return null;
    const manifestSha256 = 'cd'.repeat(32);
    return { version: this.version, manifestSha256, hasAgentFor: (os) => os === 'linux' };
  }

  newerThan(agentVersion: string | null): string | null {
    if (this.version === null || agentVersion === null) return null;
    return (compareVersions(this.version, agentVersion) ?? 0) > 0 ? this.version : null;
  }
}
