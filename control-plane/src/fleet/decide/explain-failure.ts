import type { Wakeability } from '../../live/host-power.js';
import type { WakeFrom } from './judge-power-state.js';
import type { FlightEnd, FlightState } from './step-flight.js';

export interface FailureFacts {
  readonly host: string;
  readonly state: FlightState;
  readonly end: Extract<FlightEnd, { outcome: 'failed' }>;
  readonly fromState: WakeFrom;
  /** As it was judged at the start. */
  readonly wakeability: Wakeability;
  readonly addresses: readonly string[];
  /** Windows' Fast Startup is on. */
  readonly fastStartup: boolean;
  /** What stands open of it now, in words. */
  readonly issues: readonly string[];
}

const FAILED_AT = {
  packet_sent: 'no packet left',
  answers: 'nothing was heard of it',
  agent_back: 'the machine answers, and its agent did not come back',
  engine_up: 'its agent is back, and its engine did not come up',
  model_ready: 'its engine is up, and the model did not get ready',
} as const;

/** Which phase of a wake failed, and what is known of the host that may explain it. */
export function explainFailure(facts: FailureFacts): string {
  const { host, end } = facts;
  const causes = causesOf(facts);
  const because = causes.length === 0 ? '' : ` (${causes.join('; ')})`;
  return `${host}: ${FAILED_AT[end.phase]}: ${end.detail}${because}`.slice(0, 500);
}

function causesOf({
  state,
  end,
  fromState,
  wakeability,
  addresses,
  fastStartup,
  issues,
}: FailureFacts): readonly string[] {
  switch (end.phase) {
    case 'packet_sent':
      return [];
    case 'answers':
      return [...untold(wakeability), ...slept(fromState, fastStartup), ...state.notes.slice(-1)];
    case 'agent_back':
      return [
        addresses.length > 0
          ? `it answers at ${addresses.join(', ')}: is its agent's service set to start by itself?`
          : "is its agent's service set to start by itself?",
      ];
    case 'engine_up':
    case 'model_ready':
      return issues.slice(0, 3);
    default:
      return end.phase satisfies never;
  }
}

function untold(wakeability: Wakeability): readonly string[] {
  if (wakeability.kind !== 'yes') return [wakeability.detail];
  return wakeability.proven ? [] : ['its wake was never proven from this state'];
}

function slept(fromState: WakeFrom, fastStartup: boolean): readonly string[] {
  switch (fromState) {
    case 'unknown':
      return [
        fastStartup
          ? 'it vanished without a word: was it shut down with Fast Startup, which no packet ends, or is it without power?'
          : 'it vanished without a word: is it without power, or elsewhere?',
      ];
    case 'poweroff':
      return ['it was shut down: its firmware must allow a wake from power-off'];
    case 'suspend':
    case 'hibernate':
    case 'parked':
      return [];
    default:
      return fromState satisfies never;
  }
}
