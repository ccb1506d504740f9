import { cardReading } from './card-reading.js';
import type { SmiRequest } from './parse-arguments.js';
import { type FieldContext, knownFields, type QueryField } from './query-fields.js';
import type { NvidiaSmiScenario } from './scenario.js';

export type QueryRequest = Extract<SmiRequest, { kind: 'query' }>;

/** What drivers print where there is no number. */
export const SENTINELS = [
  'N/A',
  '[N/A]',
  '[Not Supported]',
  '[Requested functionality has been deprecated]',
  '[Function Not Found]',
  '[Insufficient Permissions]',
  '[Unknown Error]',
  'GPU is lost',
  'ERR!',
] as const;

/** @returns the columns asked for, or the name of the first that this driver does not know */
export function findFields(request: QueryRequest, driver: number): readonly QueryField[] | string {
  const known = knownFields(driver);
  const found: QueryField[] = [];
  for (const name of request.fields) {
    const field = known.find((candidate) => candidate.names.includes(name));
    if (!field) return name;
    found.push(field);
  }
  return found;
}

export function headerLine(fields: readonly QueryField[], units: boolean): string {
  return fields.map(({ names, unit }) => (units && unit ? `${names[0]} [${unit}]` : names[0])).join(', ');
}

/** One line per card. */
export function queryLines(
  scenario: NvidiaSmiScenario,
  request: QueryRequest,
  fields: readonly QueryField[],
  moment: { readonly tick: number; readonly lost: boolean; readonly now: Date },
): string[] {
  const lines: string[] = [];
  scenario.cards.forEach((card, index) => {
    const asked = [String(index), card.uuid, card.busId];
    if (request.ids.length > 0 && !request.ids.some((id) => asked.includes(id))) return;
    const reading = cardReading(card, scenario.seed, index, moment.tick);
    const context = { scenario, card, index, reading, now: moment.now };
    const values = fields.map(
      (field, place) =>
        wrongValue(context, field, place, moment) ?? rightValue(context, field, request.units),
    );
    lines.push(values.join(', '));
  });
  return lines;
}

function rightValue(context: FieldContext, field: QueryField, units: boolean): string {
  const fixed = field.names
    .map((name) => context.card.fixedValues[name])
    .find((value) => value !== undefined);
  const value = fixed ?? field.value(context) ?? '[N/A]';
  return units && field.unit !== '' && Number.isFinite(Number(value)) ? `${value} ${field.unit}` : value;
}

function wrongValue(
  { scenario, card }: FieldContext,
  field: QueryField,
  place: number,
  moment: { readonly tick: number; readonly lost: boolean },
): string | null {
  const { behaviour } = scenario;
  if (behaviour.kind === 'sentinels' && !field.identity) {
    return SENTINELS[(place + moment.tick) % SENTINELS.length] ?? null;
  }
  if (behaviour.kind !== 'card_lost' || !moment.lost || card.uuid !== behaviour.uuid) return null;
  const told = field.identity && !(behaviour.identityLost && field.names.includes('uuid'));
  return told ? null : (behaviour.words ?? '[GPU is lost]');
}
