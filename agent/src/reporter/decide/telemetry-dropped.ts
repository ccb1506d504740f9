import type { Issue } from '@ai-fabric/shared';
import { describeIssue } from '../../sensors/decide/describe-issue.js';

/** How many is in the reports, as `droppedSamples`: a number here would be another issue each second. */
export function telemetryDropped(): Issue {
  return describeIssue(
    'telemetry_dropped',
    'warning',
    'host',
    'The link was down for so long that the oldest telemetry had to be dropped.',
    'Give the agent a larger buffer with AI_FABRIC_AGENT_BUFFER_BYTES if such gaps matter.',
  );
}
