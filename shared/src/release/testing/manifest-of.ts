import type { ReleaseArtefact, ReleaseManifest } from '../release-manifest.js';

export function artefactOf(change: Partial<ReleaseArtefact> = {}): ReleaseArtefact {
  return {
    name: 'ai-fabric-agent-linux-x64.gz',
    ...{ kind: 'agent', os: 'linux', architecture: 'x64', compression: 'gzip' },
    bytes: 45_000_000,
    sha256: '12'.repeat(32),
    files: [{ name: 'ai-fabric-agent', bytes: 125_000_000, sha256: '34'.repeat(32) }],
    ...change,
  };
}

export function manifestOf(change: Partial<ReleaseManifest> = {}): ReleaseManifest {
  return {
    ...{ format: 1, version: '0.1.0', commit: 'ab'.repeat(20), protocol: 6, oldestProtocol: 1 },
    builtAt: '2026-11-29T12:00:00.000Z',
    keySha256: '56'.repeat(32),
    artefacts: [artefactOf()],
    ...change,
  };
}
