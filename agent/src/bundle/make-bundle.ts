import { hostname, release, userInfo } from 'node:os';
import { BUILD, type Clock, describeBuild, icaclsPath, PROTOCOL_VERSION } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AgentConfig } from '../config/agent-config.js';
import { readWholeEnvironment } from '../config/read-whole-environment.js';
import { openContainerEngine } from '../containers/open-container-engine.js';
import type { HostFacts } from '../doctor/host-checks.js';
import { captureRun, type RunTool } from '../identity/run-tool.js';
import { AGENT_VERSION } from '../version.js';
import type { BundleManifest } from './bundle-manifest.js';
import { bundleParts } from './bundle-parts.js';
import { namesOfRecords } from './decide/names-of-records.js';
import { NameRedaction } from './decide/redact-names.js';
import { type GatherOptions, gatherBundle } from './gather-bundle.js';
import { packFindings } from './pack-findings.js';
import { writeBundle } from './write-bundle.js';

export interface MakeBundleOptions extends Pick<GatherOptions, 'pause' | 'onGathered'> {
  readonly config: AgentConfig;
  /** Where it is to be written. */
  readonly path: string;
  readonly redactNames: boolean;
  readonly readHost: () => Promise<HostFacts>;
  readonly runTool: RunTool;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Gathers, masks and writes a support bundle.
 *
 * @returns its size in bytes, and what its manifest says @throws BundleError where it cannot be written
 */
export async function makeBundle(
  options: MakeBundleOptions,
): Promise<{ readonly bytes: number; readonly manifest: BundleManifest }> {
  const { config, path, redactNames, readHost, runTool, pause, onGathered, clock, log } = options;
  const { containerEnginePath, runtimeDirectory, platform, folders } = config;
  const endpoints = containerEnginePath === null ? {} : { endpoints: [containerEnginePath] };
  const engine = openContainerEngine({ ...endpoints, runtimeDirectory, platform, clock, log });
  const parts = bundleParts({
    ...{ config, engine, readHost, clock, log },
    ...{ capture: captureRun, environment: readWholeEnvironment() },
  });
  const monotonicMs = (): number => clock.monotonicMs();
  const found = await gatherBundle({ parts, monotonicMs, pause, onGathered }).finally(() => engine.close());
  const names = [hostname(), config.hostName, userInfo().username, ...namesOfRecords(found.files)];
  const packed = packFindings(found, {
    facts: {
      madeAt: new Date(clock.nowMs()).toISOString(),
      program: describeBuild('ai-fabric-agent', AGENT_VERSION),
      ...{ version: AGENT_VERSION, commit: BUILD.commit, protocol: PROTOCOL_VERSION },
      ...{ node: process.version, platform, kernel: release() },
    },
    redaction: redactNames ? new NameRedaction(names) : null,
  });
  const bytes = await writeBundle(path, packed, async (file) => {
    if (platform !== 'win32') return;
    const grants = ['*S-1-5-18:F', '*S-1-5-32-544:F', `${userInfo().username}:F`];
    await runTool(icaclsPath(folders.windows), [file, '/inheritance:r', '/grant:r', ...grants]).catch(
      // A disk without ACLs: what is written there is not for its owner alone, whoever writes it.
      () => undefined,
    );
  });
  return { bytes, manifest: packed.manifest };
}
