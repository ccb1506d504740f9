import { checkFabricValue } from './check-fabric-value.js';
import { type DeclaredFinding, formatPath } from './decide/declared-finding.js';
import type { DeclaredState } from './declared-state.js';
import { offsetOfPath, type PlacedFinding, type PlacedYaml, readPlacedYaml } from './read-placed-yaml.js';

/** One mistake in a fabric file. Lines and columns count from 1. */
export interface FabricMistake {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

export type FabricFileResult =
  /** `document`: the file as a plain value, what it leaves out left out. */
  | { readonly ok: true; readonly state: DeclaredState; readonly document: unknown }
  /** In the order of the file; `moreErrors` were found beyond those listed. */
  | { readonly ok: false; readonly errors: readonly FabricMistake[]; readonly moreErrors: number };

const MAX_ERRORS = 50;
const EMPTY = 'the file holds nothing; expected "version: 1" and the declared state below it';

/**
 * The text of a fabric file as declared state of revision 0, or its mistakes, all at once. Never throws.
 *
 * @param file how errors name it
 */
export function parseFabricText(text: string, file: string): FabricFileResult {
  const yaml = readPlacedYaml(text);
  const found = checkPlaced(yaml);
  if ('state' in found) return { ok: true, ...found };
  return listMistakes(found.errors, yaml, file);
}

/** Findings with their places, in the order of the file, as many as anybody reads. */
export function listMistakes(
  findings: readonly PlacedFinding[],
  yaml: PlacedYaml,
  file: string,
): Extract<FabricFileResult, { ok: false }> {
  const located = findings.toSorted((a, b) => a.offset - b.offset);
  const errors = located.slice(0, MAX_ERRORS).map(({ offset, path, message }) => ({
    file,
    ...yaml.position(offset),
    path: formatPath(path),
    message,
  }));
  return { ok: false, errors, moreErrors: located.length - errors.length };
}

/** As compilers write it, one per line: `fabric.yaml:12:5: roles.chat-fast.targets[1].deployment: unknown …`. */
export function formatFabricErrors(result: Extract<FabricFileResult, { ok: false }>): string {
  const lines = result.errors.map(
    ({ file, line, column, path, message }) => `${file}:${line}:${column}: ${path}: ${message}`,
  );
  if (result.moreErrors > 0) lines.push(`… and ${result.moreErrors} more`);
  return lines.join('\n');
}

function checkPlaced(
  yaml: PlacedYaml,
):
  | { readonly state: DeclaredState; readonly document: unknown }
  | { readonly errors: readonly PlacedFinding[] } {
  if (yaml.broken) return { errors: yaml.findings };
  if (yaml.value === null) return { errors: [{ offset: 0, path: [], message: EMPTY }] };
  const check = checkFabricValue(yaml.value);
  if (check.ok && yaml.findings.length === 0) return { state: check.state, document: yaml.value };
  // Where YAML itself says something else than what stands there, what it reads as is no second mistake.
  const unread = new Set(yaml.findings.map(({ path }) => formatPath(path)));
  const findings = check.ok
    ? []
    : onlyVersion(check.findings).filter((each) => !unread.has(formatPath(each.path)));
  const located = findings.map(({ path, message, atKey }) => {
    return { offset: offsetOfPath(path, yaml.places, atKey === true), path, message };
  });
  return { errors: [...yaml.findings, ...located] };
}

/** A file of another version may be right by its own rules: that it is another version is all there is to say. */
function onlyVersion(findings: readonly DeclaredFinding[]): readonly DeclaredFinding[] {
  const wrong = findings.find(({ path, message }) => path[0] === 'version' && !message.startsWith('missing'));
  return wrong ? [wrong] : findings;
}
