import type { Issue } from '@ai-fabric/shared';
import { clipText } from '../../decide/describe-issue.js';
import { driverHung, RUN_BY_HAND, type ToolFailure, toolFailed } from './classify-tool-failure.js';
import type { GpuStreamEvent, GpuStreamState, GpuStreamStep, GpuStreamTimes } from './gpu-stream-state.js';
import { planQueryFields } from './plan-query-fields.js';

/** More lines than this in a row without a row is garbage, not a warning. */
const MAX_BAD_LINES = 8;

/** One step of the stream's life at the monotonic time `nowMs`. */
export function advanceGpuStream(
  state: GpuStreamState,
  event: GpuStreamEvent,
  nowMs: number,
  times: GpuStreamTimes,
): GpuStreamStep {
  if (state.phase === 'closed') return refuse(state, event);
  switch (event.type) {
    case 'opened':
      return state.phase === 'resting' ? find(state) : refuse(state, event);
    case 'timer':
      return onTimer(state, event, times);
    case 'tool_found':
      if (state.phase !== 'finding') return refuse(state, event);
      return event.blocked ? standAside(state, times) : start(state, [], nowMs, times);
    case 'tool_missing':
      return state.phase === 'finding' ? rest(state, event.issue, times) : refuse(state, event);
    case 'row':
      return onRow(state, event, nowMs, times);
    case 'bad_line':
      return onBadLine(state, event, times);
    case 'exited':
      return onExit(state, event, nowMs, times);
    case 'close':
      return { state: { ...state, phase: 'closed' }, effects: isAlive(state) ? [{ type: 'kill' }] : [] };
    default:
      return event satisfies never;
  }
}

/** Is there a child, as far as the state knows? */
export function isAlive(state: GpuStreamState): boolean {
  return state.phase === 'starting' || state.phase === 'running' || state.phase === 'stopping';
}

function onTimer(
  state: GpuStreamState,
  event: { readonly type: 'timer'; readonly blocked: boolean },
  times: GpuStreamTimes,
): GpuStreamStep {
  switch (state.phase) {
    case 'resting':
    case 'absent':
      return event.blocked ? standAside(state, times) : find(state);
    case 'starting':
    case 'running':
      return kill(
        state,
        driverHung(`nvidia-smi has said nothing for ${Math.round(rowDeadline(state, times) / 1000)} s.`),
        times,
      );
    case 'stopping':
      return {
        state: {
          ...state,
          phase: 'abandoned',
          issue: driverHung(
            'nvidia-smi hangs in the driver and cannot be killed; no second one is started beside it.',
          ),
        },
        effects: [{ type: 'abandon' }],
      };
    default:
      return refuse(state, event);
  }
}

function onRow(
  state: GpuStreamState,
  event: GpuStreamEvent,
  nowMs: number,
  times: GpuStreamTimes,
): GpuStreamStep {
  if (state.phase !== 'starting' && state.phase !== 'running') return refuse(state, event);
  const running: GpuStreamState = { ...state, phase: 'running', badLines: 0, issue: null };
  if (state.excluded.length > 0 && nowMs - state.excludedAtMs >= times.reprobeMs) {
    // Ask for all cards again: the lost one may be back.
    return kill({ ...running, excluded: [] }, null, times);
  }
  return { state: running, effects: [{ type: 'timer', afterMs: times.rowMs }] };
}

function onBadLine(
  state: GpuStreamState,
  event: { readonly type: 'bad_line'; readonly text: string },
  times: GpuStreamTimes,
): GpuStreamStep {
  if (state.phase !== 'starting' && state.phase !== 'running') return refuse(state, event);
  const badLines = state.badLines + 1;
  if (badLines < MAX_BAD_LINES) return { state: { ...state, badLines }, effects: [] };
  const said = clipText(event.text, 120);
  return kill(
    state,
    toolFailed(`nvidia-smi prints lines that are no readings, such as: ${said}`, RUN_BY_HAND),
    times,
  );
}

function onExit(
  state: GpuStreamState,
  event: { readonly failure: ToolFailure; readonly others: readonly string[]; readonly type: 'exited' },
  nowMs: number,
  times: GpuStreamTimes,
): GpuStreamStep {
  const settled = nowMs - state.startedAtMs >= times.healthyMs ? { ...state, attempt: 0 } : state;
  if (state.phase === 'stopping' || state.phase === 'abandoned') {
    // A killed child's end says nothing new: what led to the kill stands. Nothing did when all cards are asked again.
    return state.issue === null ? find(settled) : rest(settled, state.issue, times);
  }
  if (state.phase !== 'starting' && state.phase !== 'running') return refuse(state, event);
  const { failure } = event;
  if (failure.kind === 'problem') return rest(settled, failure.issue, times);
  if (failure.kind === 'field_refused') return withoutField(settled, failure.field, nowMs, times);
  return withoutCard(settled, failure.busId, event.others, nowMs, times);
}

function withoutField(
  state: GpuStreamState,
  field: string,
  nowMs: number,
  times: GpuStreamTimes,
): GpuStreamStep {
  const asked = planQueryFields(new Set(state.refused))?.some(({ name }) => name === field) ?? false;
  const refused = [...state.refused, field];
  if (!asked || planQueryFields(new Set(refused)) === null) {
    return rest(state, toolFailed(`nvidia-smi refuses the field "${field}", which is needed.`, null), times);
  }
  return start({ ...state, refused }, [], nowMs, times);
}

function withoutCard(
  state: GpuStreamState,
  busId: string | null,
  others: readonly string[],
  nowMs: number,
  times: GpuStreamTimes,
): GpuStreamStep {
  const excluded =
    busId === null || state.excluded.includes(busId) ? state.excluded : [...state.excluded, busId];
  const only = others.filter((other) => !excluded.includes(other));
  const issue =
    busId === null
      ? toolFailed('nvidia-smi stops because a GPU is lost and does not say which.', null)
      : null;
  // Nothing learnt, or nobody left to ask: try the whole again later.
  if (excluded === state.excluded || only.length === 0) return rest({ ...state, excluded: [] }, issue, times);
  return start({ ...state, excluded, excludedAtMs: nowMs }, only, nowMs, times);
}

function find(state: GpuStreamState): GpuStreamStep {
  return { state: { ...state, phase: 'finding' }, effects: [{ type: 'find_tool' }] };
}

/** Another nvidia-smi hangs: nothing is started beside it. */
function standAside(state: GpuStreamState, times: GpuStreamTimes): GpuStreamStep {
  const issue = driverHung('An nvidia-smi process hangs and cannot be killed.');
  return {
    state: { ...state, phase: 'resting', issue },
    effects: [{ type: 'timer', afterMs: times.killMs }],
  };
}

function start(
  state: GpuStreamState,
  only: readonly string[],
  nowMs: number,
  times: GpuStreamTimes,
): GpuStreamStep {
  const fields = planQueryFields(new Set(state.refused));
  if (fields === null)
    return rest(state, toolFailed('nvidia-smi knows no field for the UUID of a card.', null), times);
  return {
    state: { ...state, phase: 'starting', badLines: 0, startedAtMs: nowMs },
    effects: [
      { type: 'start', fields, only },
      { type: 'timer', afterMs: times.firstRowMs },
    ],
  };
}

function kill(state: GpuStreamState, issue: Issue | null, times: GpuStreamTimes): GpuStreamStep {
  return {
    state: { ...state, phase: 'stopping', issue },
    effects: [{ type: 'kill' }, { type: 'timer', afterMs: times.killMs }],
  };
}

/** Waits before the next run: long where there is no card, by backoff where something failed. */
function rest(state: GpuStreamState, issue: Issue | null, times: GpuStreamTimes): GpuStreamStep {
  if (issue?.code === 'no_gpu') {
    return {
      state: { ...state, phase: 'absent', attempt: 0, issue },
      effects: [{ type: 'timer', afterMs: times.absentMs }],
    };
  }
  return {
    state: { ...state, phase: 'resting', attempt: state.attempt + 1, issue },
    effects: [{ type: 'backoff', attempt: state.attempt }],
  };
}

function rowDeadline(state: GpuStreamState, times: GpuStreamTimes): number {
  return state.phase === 'starting' ? times.firstRowMs : times.rowMs;
}

function refuse(state: GpuStreamState, event: GpuStreamEvent): GpuStreamStep {
  return { state, effects: [], refused: `${event.type} while ${state.phase}` };
}
