import { countOf } from '@ai-fabric/shared';
import { CONTROL_PLANE, type Finding, finding } from '../finding.js';

/** Above it, times in logs and certificates begin to mislead. `Date` headers have whole seconds. */
const OFF_MS = 30_000;
const ENOUGH_WITNESSES = 2;

/**
 * The control plane's own clock, by what others say of theirs: one provider that is far off may be wrong itself, and so
 * may one agent; several that agree are not.
 *
 * @param skews the control plane's clock less each other one's
 */
export function judgeClock(skews: {
  readonly providers: readonly number[];
  readonly agents: readonly number[];
}): Finding {
  const all = [...skews.providers, ...skews.agents];
  if (all.length === 0) {
    return finding('info', 'clock_not_compared', CONTROL_PLANE, 'nobody is there to compare its clock with');
  }
  const sorted = [...all].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const isOff = Math.abs(middle) > OFF_MS;
  const agree = all.filter((skew) => Math.sign(skew) === Math.sign(middle) && Math.abs(skew) > OFF_MS);
  const isBelieved = skews.providers.length > 0 || agree.length >= ENOUGH_WITNESSES;
  const apart = Math.round(Math.abs(middle) / 1000);
  if (isOff && isBelieved && agree.length * 2 > all.length) {
    const what = `its clock is about ${apart} s ${middle > 0 ? 'ahead of' : 'behind'} ${others(skews)}`;
    const fix = 'turn on time synchronisation here (chrony, systemd-timesyncd, or Windows Time)';
    return finding('warning', 'clock_off', CONTROL_PLANE, what, { fix });
  }
  return finding('ok', 'clock', CONTROL_PLANE, `its clock agrees with ${others(skews)}`);
}

function others({
  providers,
  agents,
}: {
  readonly providers: readonly number[];
  readonly agents: readonly number[];
}): string {
  const parts = [
    ...(agents.length > 0 ? [countOf(agents.length, 'agent')] : []),
    ...(providers.length > 0 ? [countOf(providers.length, 'provider')] : []),
  ];
  return parts.join(' and ');
}
