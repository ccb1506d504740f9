import { judgeHost } from '../../doctor/decide/judge-host.js';
import type { HostFacts } from '../../doctor/host-checks.js';
import type { BundlePart } from '../gather-bundle.js';
import { toJson } from './part-tools.js';

/** A look of one's own at cards and container engine takes a minute where they do not answer. */
const DEADLINE_MS = 75_000;

/** The checklist, as `ai-fabric-agent doctor` says it. */
export function doctorPart(readHost: () => Promise<HostFacts>): BundlePart {
  return {
    title: 'checklist',
    deadlineMs: DEADLINE_MS,
    gather: async (findings) => {
      const checks = judgeHost(await readHost());
      findings.file({ name: 'doctor.json', text: toJson({ checks }), source: 'doctor' });
    },
  };
}
