import { CONTROL_PLANE, type Finding, finding } from '../finding.js';

export interface DirectoryFacts {
  readonly directory: string;
  readonly exists: boolean;
  /** By the process id that the last one left: `none` when it ended in order, or never ran. */
  readonly process: { readonly kind: 'none' } | { readonly kind: 'running' | 'gone'; readonly pid: number };
  /** `null`: there is no registry. */
  readonly registryWrittenAtMs: number | null;
}

/** Why a control plane does not answer, by what it left behind. */
export function judgeStoppedControlPlane(facts: DirectoryFacts, nowMs: number): Finding {
  const { directory, exists, process, registryWrittenAtMs } = facts;
  const up = `start it: ai-fabric up --data ${directory}`;
  if (!exists || registryWrittenAtMs === null) {
    const what = `no control plane has run with the data directory ${directory}`;
    const fix = 'name its data directory with --data DIR, or start one with "ai-fabric up"';
    return finding('error', 'no_data_directory', CONTROL_PLANE, what, { fix });
  }
  const minutes = Math.max(0, Math.round((nowMs - registryWrittenAtMs) / 60_000));
  const last = `its registry was last written ${minutes} min ago`;
  if (process.kind === 'running') {
    const what = `its process (${process.pid}) runs and does not answer; ${last}`;
    const fix = `look into its log; if it hangs, end process ${process.pid} and start it again`;
    return finding('error', 'control_plane_hangs', CONTROL_PLANE, what, { fix });
  }
  if (process.kind === 'gone') {
    const what = `its process (${process.pid}) has ended without a goodbye; ${last}`;
    return finding('error', 'control_plane_died', CONTROL_PLANE, what, {
      fix: `look into its log, then ${up}`,
    });
  }
  return finding('error', 'control_plane_stopped', CONTROL_PLANE, `is not running; ${last}`, { fix: up });
}
