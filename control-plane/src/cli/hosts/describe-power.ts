import type { HostPower, UsualSeconds } from '../../live/host-power.js';
import { age } from '../output.js';

/** What an operator is shown of a host's power, line by line. Most is of interest only while it is not simply on. */
export function describePower(
  power: HostPower,
  nowMs: number,
): readonly (readonly [label: string, text: string])[] {
  const { state, sinceMs, flight, keepAwakeUntilMs } = power;
  const lines: (readonly [string, string])[] = [];
  if (state !== 'unseen') lines.push(['power', `${state} for ${age(sinceMs, nowMs)}`]);
  if (flight !== null) lines.push(['waking', flight.text]);
  if (keepAwakeUntilMs !== null && keepAwakeUntilMs > nowMs) {
    lines.push(['kept awake', `for ${age(nowMs - (keepAwakeUntilMs - nowMs), nowMs)} more`]);
  }
  if (state !== 'unseen') lines.push(['wake', describeWakeability(power)]);
  const { packetToAgent, deployments } = power.wakeTimes;
  if (packetToAgent !== null) lines.push(['its wakes', `agent back after ${usually(packetToAgent)}`]);
  for (const [name, { agentToReady, total }] of Object.entries(deployments)) {
    const load = agentToReady === null ? '' : `loads in ${usually(agentToReady)}, `;
    lines.push(['', `${name}: ${load}ready after ${usually(total)}`]);
  }
  return lines;
}

function usually({ p50, p95, wakes }: UsualSeconds): string {
  return `${p50} s (p95 ${p95} s, of ${wakes})`;
}

function describeWakeability({ wakeability, readySeconds }: HostPower): string {
  switch (wakeability.kind) {
    case 'no':
      return `no (${wakeability.reason}): ${wakeability.detail}`;
    case 'unknown':
      return `not known: ${wakeability.detail}`;
    case 'yes': {
      const times = Object.entries(readySeconds).map(([name, seconds]) => `${name} in about ${seconds} s`);
      const proof = wakeability.proven ? 'yes, proven' : 'yes, never proven';
      return times.length === 0 ? proof : `${proof}; ${times.join(', ')}`;
    }
    default:
      return wakeability satisfies never;
  }
}
