import { nestsDeeperThan } from '@ai-fabric/shared';
import { type Document, Lexer, LineCounter, Parser, parseDocument } from 'yaml';
import { describeSyntaxError } from './decide/describe-syntax-error.js';
import { type PlaceTree, readYamlTree } from './read-yaml-tree.js';

export interface PlacedFinding {
  readonly offset: number;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface PlacedYaml {
  /** `null` where the text holds nothing, or is no YAML. */
  readonly value: unknown;
  readonly places: PlaceTree;
  /** It is no YAML at all, and what is wrong is among the findings. */
  readonly broken: boolean;
  readonly findings: readonly PlacedFinding[];
  /** Both count from 1. */
  position(offset: number): { readonly line: number; readonly column: number };
}

/** What holds more than 32 levels, which a fabric has at the most, is refused with its place below this. */
const MAX_OPEN = 200;

const NOWHERE: PlaceTree = { keyOffset: 0, valueOffset: 0, children: new Map() };

/** The text of a YAML file as plain values with their places. Never throws. */
export function readPlacedYaml(text: string): PlacedYaml {
  const lines = new LineCounter();
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const nothing = { value: null, places: NOWHERE, broken: true, position };
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (nestsDeeperThan(MAX_OPEN, new Parser(), new Lexer().lex(source))) {
    return { ...nothing, findings: [{ offset: 0, path: [], message: 'no valid YAML: nested too deeply' }] };
  }
  // Not the log level "silent": with it a second document is passed over without a word.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
  const document = parseDocument(source, options);
  const syntax = describeSyntax(document, lines);
  if (syntax.length > 0) return { ...nothing, findings: syntax };
  return { ...readYamlTree(document), broken: false, position };
}

/** Where a path stands; what is missing is where its parent is named. */
export function offsetOfPath(path: readonly (string | number)[], root: PlaceTree, atKey: boolean): number {
  let place = root;
  for (const [depth, part] of path.entries()) {
    const child = place.children.get(part);
    if (!child) return depth === 0 ? 0 : place.keyOffset;
    place = child;
  }
  return atKey ? place.keyOffset : place.valueOffset;
}

/** One broken bracket brings a complaint at every level: the same one on the same line is told once. */
function describeSyntax(document: Document.Parsed, lines: LineCounter): PlacedFinding[] {
  const found = new Map<string, PlacedFinding>();
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    const message = describeSyntaxError(code);
    const place = `${lines.linePos(pos[0]).line} ${message}`;
    if (!found.has(place)) found.set(place, { offset: pos[0], path: [], message });
  }
  return [...found.values()];
}
