import type { DeclaredPrice, DeclaredState } from '../../declared/declared-state.js';
import { NO_USE, type PowerUse, reckonEnergy, reckonTokens } from '../../fleet/decide/reckon-energy.js';
import type { HostPowerUse, PowerHistory, WakeStretch } from '../../registry/power-types.js';
import type { PowerReport } from '../power-schemas.js';

const UNDECLARED = { baseWatts: null, asleepWatts: null };

/** Puts energy and prices to what is kept of hosts' power. @param nowMs where stretches that go on are cut */
export function reckonPower(
  { use, wakes, events }: PowerHistory,
  declared: Pick<DeclaredState, 'hosts' | 'tariff' | 'roles' | 'providers'>,
  range: Pick<PowerReport, 'fromMs' | 'toMs'>,
  nowMs: number,
): PowerReport {
  const { tariff, hosts } = declared;
  const energyOf = (host: string) => hosts.get(host)?.energy ?? UNDECLARED;
  const byHost = new Map(use.map((each) => [each.host, each]));
  return {
    ...range,
    currency: tariff?.currency ?? null,
    hosts: use.map((each) => {
      const { host, awakeSeconds, asleepSeconds } = each;
      return { host, awakeSeconds, asleepSeconds, ...reckonEnergy(each, energyOf(host), tariff) };
    }),
    wakes: wakes.map((stretch) => {
      const { wake, awakeUntilMs, requests } = stretch;
      const whole = stretchUse(stretch, byHost.get(wake.host) ?? null, nowMs);
      const { kilowattHours, cost } = reckonEnergy(whole ?? NO_USE, energyOf(wake.host), tariff);
      const cloud = cloudOf(wake.role, declared);
      return {
        wake: { ...wake, phases: { ...wake.phases } },
        awakeUntilMs,
        awakeSeconds: awakeSecondsOf(stretch, nowMs),
        kilowattHours: whole === null ? null : kilowattHours,
        cost: whole === null ? null : cost,
        requests: requests && { ...requests },
        cloudCost: requests && cloud && reckonTokens(requests, cloud.price),
        cloudTarget: cloud?.target ?? null,
      };
    }),
    events: events.map((event) => ({ ...event })),
  };
}

/** At what its cards drew on average in the days of the report; `null`: nothing was told of that. */
function stretchUse(stretch: WakeStretch, all: HostPowerUse | null, nowMs: number): PowerUse | null {
  if (all === null || all.awakeSeconds === 0) return null;
  const awakeSeconds = awakeSecondsOf(stretch, nowMs);
  return { awakeSeconds, asleepSeconds: 0, cardJoules: (all.cardJoules / all.awakeSeconds) * awakeSeconds };
}

/** From its agent's return, or from the wish where that is not known. One that failed was not awake. */
function awakeSecondsOf({ wake, awakeUntilMs }: WakeStretch, nowMs: number): number {
  const backMs = wake.phases['agent_back'];
  if (backMs === undefined && wake.outcome !== 'ready') return 0;
  return Math.max(0, ((awakeUntilMs ?? nowMs) - wake.askedAtMs - (backMs ?? 0)) / 1000);
}

/** The first provider of a role. */
function cloudOf(
  name: string | null,
  { roles, providers }: Pick<DeclaredState, 'roles' | 'providers'>,
): { readonly target: string; readonly price: DeclaredPrice | null } | null {
  const targets = (name === null ? undefined : roles.get(name))?.targets ?? [];
  for (const target of targets) {
    if (target.kind !== 'provider') continue;
    const price = providers.get(target.provider)?.models.get(target.model)?.price ?? null;
    return { target: `${target.provider}/${target.model}`, price };
  }
  return null;
}
