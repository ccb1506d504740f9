import { type Document, LineCounter, parseDocument } from 'yaml';
import { checkFabricValue } from './check-fabric-value.js';
import { type DeclaredFinding, formatPath } from './decide/declared-finding.js';
import { describeSyntaxError } from './decide/describe-syntax-error.js';
import type { DeclaredState } from './declared-state.js';
import { type PlaceTree, readYamlTree } from './read-yaml-tree.js';

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

interface Located {
  readonly offset: number;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * The text of a fabric file as declared state of revision 0, or its mistakes, all at once. Never throws.
 *
 * @param file how errors name it
 */
export function parseFabricText(text: string, file: string): FabricFileResult {
  const lines = new LineCounter();
  const found = readText(text.startsWith('\uFEFF') ? text.slice(1) : text, lines);
  if ('state' in found) return { ok: true, ...found };
  const located = found.errors.toSorted((a, b) => a.offset - b.offset);
  const errors = located.slice(0, MAX_ERRORS).map(({ offset, path, message }) => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), path: formatPath(path), message };
  });
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

function readText(
  text: string,
  lineCounter: LineCounter,
): { readonly state: DeclaredState; readonly document: unknown } | { readonly errors: readonly Located[] } {
  const document = parseQuietly(text, lineCounter);
  if (!document) return { errors: [{ offset: 0, path: [], message: 'no valid YAML: nested too deeply' }] };
  const syntax = describeSyntax(document, lineCounter);
  if (syntax.length > 0) return { errors: syntax };
  const tree = readYamlTree(document);
  if (tree.value === null) return { errors: [{ offset: 0, path: [], message: EMPTY }] };
  const check = checkFabricValue(tree.value);
  if (check.ok && tree.findings.length === 0) return { state: check.state, document: tree.value };
  // Where YAML itself says something else than what stands there, what it reads as is no second mistake.
  const unread = new Set(tree.findings.map(({ path }) => formatPath(path)));
  const findings = check.ok
    ? []
    : onlyVersion(check.findings).filter((each) => !unread.has(formatPath(each.path)));
  return { errors: [...tree.findings, ...findings.map((each) => locate(each, tree.places))] };
}

/** The parser recurses: a text of a hundred thousand brackets overflows its stack. */
function parseQuietly(text: string, lineCounter: LineCounter) {
  try {
    // Not the log level "silent": with it a second document is passed over without a word.
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
  } catch {
    return null;
  }
}

/** One broken bracket brings a complaint at every level: the same one on the same line is told once. */
function describeSyntax(document: Document.Parsed, lines: LineCounter): Located[] {
  const found = new Map<string, Located>();
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    const message = describeSyntaxError(code);
    const place = `${lines.linePos(pos[0]).line} ${message}`;
    if (!found.has(place)) found.set(place, { offset: pos[0], path: [], message });
  }
  return [...found.values()];
}

/** A file of another version may be right by its own rules: that it is another version is all there is to say. */
function onlyVersion(findings: readonly DeclaredFinding[]): readonly DeclaredFinding[] {
  const wrong = findings.find(({ path, message }) => path[0] === 'version' && !message.startsWith('missing'));
  return wrong ? [wrong] : findings;
}

function locate(finding: DeclaredFinding, root: PlaceTree): Located {
  const { path, message } = finding;
  let place = root;
  for (const [depth, part] of path.entries()) {
    const child = place.children.get(part);
    // What is missing is shown where its parent is named.
    if (!child) return { offset: depth === 0 ? 0 : place.keyOffset, path, message };
    place = child;
  }
  return { offset: finding.atKey ? place.keyOffset : place.valueOffset, path, message };
}
