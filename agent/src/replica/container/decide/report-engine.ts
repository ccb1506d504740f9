import type { ContainerEngineReport } from '@ai-fabric/shared';
import type { ContainerEngineProbe } from '../../../containers/container-engine.js';
import { clipText } from '../../../sensors/decide/describe-issue.js';

/** What is told of the container engine: nothing that only this host needs to know. */
export function reportEngine(probe: ContainerEngineProbe): ContainerEngineReport {
  if (!probe.reachable) return { reachable: false, code: probe.code, detail: clipText(probe.detail, 500) };
  const { flavour, version, rootless, desktop } = probe.info;
  return { reachable: true, flavour, version: clipText(version, 80), rootless, desktop };
}
