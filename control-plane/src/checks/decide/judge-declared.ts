import { countOf } from '@ai-fabric/shared';
import { CONTROL_PLANE, type Finding, finding } from '../finding.js';

export interface DeclaredFacts {
  readonly revision: number;
  readonly fabricFileDiffers: boolean;
  readonly droppedObservations: number;
}

/** What the control plane itself counts and compares. */
export function judgeDeclared(facts: DeclaredFacts): Finding[] {
  const findings: Finding[] = [];
  if (facts.revision === 0) {
    findings.push(
      finding('warning', 'nothing_declared', CONTROL_PLANE, 'nothing is declared yet', {
        fix: 'start once with --config fabric.yaml',
      }),
    );
  }
  if (facts.fabricFileDiffers) {
    findings.push(
      finding(
        'info',
        'fabric_file_differs',
        CONTROL_PLANE,
        'the file given with --config differs from the registry, which wins',
        { fix: 'apply the file, or export the registry into it' },
      ),
    );
  }
  if (facts.droppedObservations > 0) {
    findings.push(
      finding(
        'warning',
        'observations_dropped',
        CONTROL_PLANE,
        `since its start it has dropped ${countOf(facts.droppedObservations, 'row')} of telemetry and history`,
        { fix: 'look at the disk of the data directory' },
      ),
    );
  }
  return findings;
}
