/** Of the registry's host events, as far as this needs them. */
export interface HostEvent {
  readonly atMs: number;
  readonly event: string;
  readonly detail: string | null;
}

/** `asleep`: it said that it suspends or shuts down; `away`: it is not there for any other reason. */
export interface AbsenceStretch {
  readonly state: 'asleep' | 'away';
  readonly fromMs: number;
  /** When it linked again; where it has not, the end of what was asked for. */
  readonly toMs: number;
  /** What it said when it went; `null` for nothing. */
  readonly reason: string | null;
}

const SLEEP_REASONS: readonly (string | null)[] = ['suspend', 'shutdown'];

/**
 * When a host was not there, from its events.
 *
 * @param events in order of time, from the last one before `fromMs` on
 * @param noticedAfterMs a silent host counts as away only after so long: that is where it was away from
 */
export function absenceStretches(
  events: readonly HostEvent[],
  fromMs: number,
  toMs: number,
  noticedAfterMs: number,
): AbsenceStretch[] {
  const stretches: AbsenceStretch[] = [];
  let open: Omit<AbsenceStretch, 'toMs'> | null = null;
  // A join dials, proves itself and goes: its host was not there before, and is there when its agent is.
  let isJoining = false;
  const end = (atMs: number): void => {
    if (open && atMs > fromMs && open.fromMs < toMs) {
      stretches.push({ ...open, fromMs: Math.max(open.fromMs, fromMs), toMs: Math.min(atMs, toMs) });
    }
    open = null;
  };
  for (const { atMs, event, detail } of events) {
    if (event === 'linked') {
      isJoining = false;
      end(atMs);
    } else if (event === 'goodbye') {
      end(atMs);
      isJoining = detail === 'joined';
      if (!isJoining)
        open = { state: SLEEP_REASONS.includes(detail) ? 'asleep' : 'away', fromMs: atMs, reason: detail };
    } else if (event === 'away' && open === null && !isJoining) {
      open = { state: 'away', fromMs: atMs - noticedAfterMs, reason: null };
    }
  }
  end(toMs);
  return stretches;
}
