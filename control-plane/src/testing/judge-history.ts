import type { PowerObservation, PowerRecords, WakeRecord } from '../registry/power-types.js';

export interface SavedWake {
  readonly hostId: string;
  readonly wake: WakeRecord;
}

export interface WakeFaults {
  readonly wakes: number;
  readonly doubleFlights: number;
  readonly flaps: number;
}

/**
 * @param lives what each control plane saved, one after the other: each wake at each of its changes, in order
 * @param cooldownMs for which no request wakes a host whose wake failed
 */
export function judgeWakes(lives: readonly (readonly PowerObservation[])[], cooldownMs: number): WakeFaults {
  const begun = new Set<string>();
  const failedAtMs = new Map<string, number>();
  let doubleFlights = 0;
  let flaps = 0;
  for (const saved of lives) {
    // What one had under way is nobody's after its end.
    const open = new Map<string, string>();
    for (const { hostId, wake } of wakesOf(saved)) {
      const { wakeId, askedBy, askedAtMs, outcome, endedAtMs } = wake;
      if (!begun.has(wakeId)) {
        begun.add(wakeId);
        const isAsked = askedBy === 'request';
        if (open.has(hostId) || (isAsked && open.size > 0)) doubleFlights += 1;
        const since = askedAtMs - (failedAtMs.get(hostId) ?? Number.NEGATIVE_INFINITY);
        if (isAsked && since < cooldownMs) flaps += 1;
        open.set(hostId, wakeId);
      }
      if (outcome === null) continue;
      open.delete(hostId);
      if (outcome === 'failed') failedAtMs.set(hostId, endedAtMs ?? askedAtMs);
      else if (outcome === 'ready') failedAtMs.delete(hostId);
    }
  }
  return { wakes: begun.size, doubleFlights, flaps };
}

export function wakesOf(saved: readonly PowerObservation[]): readonly SavedWake[] {
  return saved.flatMap((each) => (each.kind === 'wake' ? [{ hostId: each.hostId, wake: each.wake }] : []));
}

/** What a registry would give to the next control plane. */
export function recordsOf(saved: readonly PowerObservation[]): PowerRecords {
  const hosts = new Map<string, PowerRecords['hosts'][number]>();
  const wakes = new Map<string, PowerRecords['wakes'][number]>();
  const proofs: PowerRecords['proofs'][number][] = [];
  const loads = new Map<string, PowerRecords['loads'][number]>();
  for (const each of saved) {
    if (each.kind === 'hostPower') hosts.set(each.hostId, { hostId: each.hostId, ...each.power });
    if (each.kind === 'wakeProof') proofs.push({ hostId: each.hostId, fromState: each.fromState });
    if (each.kind === 'loadTimes') {
      const { hostId, deployment, record } = each;
      loads.set(`${hostId} ${deployment}`, { hostId, deployment, ...record });
    }
    if (each.kind === 'wake') {
      const outcome = each.wake.outcome ?? 'cancelled';
      wakes.set(each.wake.wakeId, { ...each.wake, outcome, hostId: each.hostId });
    }
  }
  const newestFirst = [...wakes.values()].sort((one, other) => other.askedAtMs - one.askedAtMs);
  return { hosts: [...hosts.values()], proofs, loads: [...loads.values()], wakes: newestFirst };
}

/** Mulberry32. */
export function drawOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
