import { countOf } from '@ai-fabric/shared';
import { formatPath } from '../declared/decide/declared-finding.js';
import { formatFabricErrors, listMistakes, parseFabricText } from '../declared/parse-fabric-text.js';
import { offsetOfPath, readPlacedYaml } from '../declared/read-placed-yaml.js';
import { writeFabricYaml } from '../declared/write-fabric-yaml.js';
import { convertLitellm } from './decide/convert-litellm.js';
import type { ImportNote } from './decide/litellm-config.js';

export interface PlacedNote {
  readonly kind: ImportNote['kind'];
  readonly line: number;
  readonly path: string;
  readonly message: string;
}

export type LitellmImport =
  | {
      readonly ok: true;
      readonly fabric: string;
      readonly notes: readonly PlacedNote[];
      /** What clients of the proxy ask for, also where that has another name now, or none. */
      readonly clientNames: readonly string[];
    }
  /** A line per mistake. */
  | { readonly ok: false; readonly mistakes: string };

/**
 * The text of LiteLLM's config.yaml as that of a fabric.yaml to review, which is valid.
 *
 * @param file how mistakes name it
 * @throws Error when what came out is not valid: a bug of ours
 */
export function importLitellm(text: string, file: string): LitellmImport {
  const yaml = readPlacedYaml(text);
  if (yaml.findings.length > 0) return refuse(listMistakes(yaml.findings, yaml, file));
  if (!holdsModels(yaml.value)) {
    const message = 'expected the config.yaml of a LiteLLM proxy, with a "model_list"';
    return refuse(listMistakes([{ offset: 0, path: [], message }], yaml, file));
  }
  const { document, notes, clientNames } = convertLitellm(yaml.value);
  const reviews = notes.filter(({ about }) => about !== undefined);
  const fabric = writeFabricYaml(
    { ...document },
    headOf(file, notes),
    reviews.map(({ about = [], message }) => ({ path: about, text: `review: ${message}` })),
  );
  const check = parseFabricText(fabric, 'fabric.yaml');
  if (!check.ok) throw new Error(`what was made of ${file} is not valid:\n${formatFabricErrors(check)}`);
  const placed = notes.map(({ kind, path, message }) => {
    const { line } = yaml.position(offsetOfPath(path, yaml.places, true));
    return { kind, line, path: formatPath(path), message };
  });
  return { ok: true, fabric, notes: placed.toSorted((a, b) => a.line - b.line), clientNames };
}

function refuse(result: Parameters<typeof formatFabricErrors>[0]): LitellmImport {
  return { ok: false, mistakes: formatFabricErrors(result) };
}

function holdsModels(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Array.isArray((value as { model_list?: unknown }).model_list)
  );
}

function headOf(file: string, notes: readonly ImportNote[]): string[] {
  const left = notes.filter(({ kind }) => kind === 'no_counterpart').length;
  return [
    `Made of ${file} by "ai-fabric import litellm". Review it, then: ai-fabric diff FILE, ai-fabric apply FILE`,
    `${countOf(left, 'setting')} had no counterpart: the import listed what was left out.`,
    'Hosts that are often asleep or off get "mayBeAway: true".',
  ];
}
