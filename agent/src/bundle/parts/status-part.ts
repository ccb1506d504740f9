import type { AgentStatus } from '../../status/agent-status.js';
import type { BundlePart } from '../gather-bundle.js';
import { toJson } from './part-tools.js';

const DEADLINE_MS = 20_000;

/** What a running agent says of itself. @param askStatus `null`: none runs */
export function statusPart(askStatus: () => Promise<AgentStatus | null>): BundlePart {
  return {
    title: 'status',
    deadlineMs: DEADLINE_MS,
    gather: async (findings) => {
      const status = await askStatus();
      findings.file({
        name: 'status.json',
        text: toJson(status ?? { running: false }),
        source: 'ai-fabric-agent status',
      });
    },
  };
}
