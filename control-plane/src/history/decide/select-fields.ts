import type { FieldSelection } from './point-table.js';
import { type SeriesKind, seriesKinds, telemetryFields } from './telemetry-fields.js';

export type SelectedFields =
  | { readonly ok: true; readonly selection: FieldSelection }
  | { readonly ok: false; readonly detail: string; readonly fix: string };

/**
 * @param text names after commas: `gpu.powerWatts` one field, `gpu` all of a kind, `powerWatts` one of whatever kind;
 * `undefined` or empty: all
 */
export function selectFields(text: string | undefined): SelectedFields {
  const names = (text ?? '').split(',').map((name) => name.trim());
  const asked = names.filter((name) => name !== '');
  const selection: Record<SeriesKind, number[]> = { host: [], gpu: [], replica: [] };
  for (const name of asked.length === 0 ? seriesKinds : asked) {
    let found = false;
    for (const kind of seriesKinds) {
      telemetryFields[kind].forEach((field, index) => {
        if (name !== kind && name !== field && name !== `${kind}.${field}`) return;
        found = true;
        if (!selection[kind].includes(index)) selection[kind].push(index);
      });
    }
    if (!found)
      return { ok: false, detail: `there is no field "${name}"`, fix: `fields are: ${listFields()}` };
  }
  return { ok: true, selection };
}

function listFields(): string {
  return seriesKinds.flatMap((kind) => telemetryFields[kind].map((field) => `${kind}.${field}`)).join(', ');
}
