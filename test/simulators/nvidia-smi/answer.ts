import { findFields, headerLine, queryLines } from './answer-query.js';
import { garbageText } from './garbage.js';
import type { SmiRequest } from './parse-arguments.js';
import { knownFields } from './query-fields.js';
import { answerRecorded } from './recorded.js';
import type { NvidiaSmiScenario } from './scenario.js';
import { lostAtStart, wholeFailure } from './whole-failures.js';
import { renderXml } from './xml-document.js';

/** What the process does at one tick. */
export type SmiAction =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'end'; readonly text: string; readonly exitCode: number }
  | { readonly kind: 'hang' };

export interface Moment {
  /** Ticks of this process so far. */
  readonly tick: number;
  /** Ticks since the scenario was read last. */
  readonly scenarioTick: number;
  readonly now: Date;
}

/** Decides what nvidia-smi does at one tick of a loop, or at the only one of a single answer. */
export function answer(
  scenario: NvidiaSmiScenario,
  request: SmiRequest,
  moment: Moment,
  argv: readonly string[] = [],
): SmiAction {
  if (scenario.recorded !== null) return answerRecorded(scenario.recorded, request, argv);
  const action = decide(scenario, request, moment);
  if (action.kind === 'hang' || scenario.platform === 'linux') return action;
  return { ...action, text: action.text.replaceAll('\n', '\r\n') };
}

function decide(scenario: NvidiaSmiScenario, request: SmiRequest, moment: Moment): SmiAction {
  if (request.kind === 'invalid') return { kind: 'end', text: `${request.message}\n`, exitCode: 2 };
  if (request.kind === 'help') return { kind: 'end', text: helpText(scenario), exitCode: 0 };
  const { behaviour } = scenario;
  const due = !('afterTicks' in behaviour) || moment.scenarioTick >= (behaviour.afterTicks ?? 0);
  if (behaviour.kind === 'hang' && due) return { kind: 'hang' };
  if (behaviour.kind === 'exits' && due) {
    return { kind: 'end', text: behaviour.text ?? '', exitCode: behaviour.exitCode };
  }
  const failure = wholeFailure(scenario);
  if (failure) return { kind: 'end', ...failure };
  const lost = behaviour.kind === 'card_lost' && due;
  if (lost && moment.tick === 0 && behaviour.atStart !== 'rows') {
    const card = scenario.cards.find((candidate) => candidate.uuid === behaviour.uuid);
    if (card) return { kind: 'end', ...lostAtStart(card.busId) };
  }
  if (behaviour.kind === 'garbage' && due) return once(request, garbageText(moment.tick));
  if (request.kind === 'list') return { kind: 'end', text: listText(scenario), exitCode: 0 };
  if (request.kind === 'xml')
    return { kind: 'end', text: renderXml(scenario, { ...moment, lost }), exitCode: 0 };
  return query(scenario, request, { ...moment, lost });
}

function query(
  scenario: NvidiaSmiScenario,
  request: Extract<SmiRequest, { kind: 'query' }>,
  moment: Moment & { readonly lost: boolean },
): SmiAction {
  const fields = findFields(request, scenario.driver);
  if (typeof fields === 'string') {
    return { kind: 'end', text: `Field "${fields}" is not a valid field to query.\n\n`, exitCode: 2 };
  }
  const lines = queryLines(scenario, request, fields, moment);
  if (request.header && moment.tick === 0) lines.unshift(headerLine(fields, request.units));
  return once(request, lines.map((line) => `${line}\n`).join(''));
}

/** A request that does not loop ends with its answer. */
function once(request: SmiRequest, text: string): SmiAction {
  const loops = request.kind === 'query' && request.periodMs !== null;
  return loops ? { kind: 'print', text } : { kind: 'end', text, exitCode: 0 };
}

function listText(scenario: NvidiaSmiScenario): string {
  return scenario.cards
    .map((card, index) => {
      const slices = card.migDevices.map(
        (slice, place) => `  MIG ${slice.profile.padEnd(11)} Device  ${place}: (UUID: ${slice.uuid})\n`,
      );
      return `GPU ${index}: ${card.name} (UUID: ${card.uuid})\n${slices.join('')}`;
    })
    .join('');
}

function helpText(scenario: NvidiaSmiScenario): string {
  const fields = knownFields(scenario.driver).map(
    ({ names }) => `${names.map((name) => `"${name}"`).join(' or ')}\nA property of the GPU.\n\n`,
  );
  return `List of valid properties to query for the switch "--query-gpu":\n\n${fields.join('')}`;
}
