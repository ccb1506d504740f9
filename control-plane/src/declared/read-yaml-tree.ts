import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { describeText } from './decide/describe-value.js';

/** Where a value and its key begin, as offsets into the text. */
export interface PlaceTree {
  readonly keyOffset: number;
  readonly valueOffset: number;
  readonly children: ReadonlyMap<string | number, PlaceTree>;
}

export interface YamlFinding {
  readonly path: Path;
  readonly offset: number;
  readonly message: string;
}

export interface YamlTree {
  readonly value: unknown;
  readonly places: PlaceTree;
  readonly findings: readonly YamlFinding[];
}

type Path = readonly (string | number)[];

const MAX_DEPTH = 32;
/** Aliases count each time they are used: a few lines can stand for billions of values. */
const MAX_VALUES = 100_000;
const MAX_FINDINGS = 200;

interface Walk {
  readonly anchors: Map<string, Node>;
  readonly findings: YamlFinding[];
  values: number;
}

interface Place {
  readonly path: Path;
  readonly keyOffset: number;
  readonly valueOffset: number;
}

interface Read {
  readonly value: unknown;
  readonly places: PlaceTree;
}

/**
 * A parsed document as plain values beside their places. Our own walk instead of `toJS`, which keeps no places,
 * takes the last of duplicate keys and writes warnings to the process.
 */
export function readYamlTree(document: Document.Parsed): YamlTree {
  const walk: Walk = { anchors: new Map(), findings: [], values: 0 };
  const { value, places } = readNode(walk, document.contents, [], 0);
  return { value, places, findings: walk.findings };
}

function readNode(walk: Walk, node: unknown, path: Path, keyOffset: number): Read {
  const place: Place = { path, keyOffset, valueOffset: offsetOf(node) ?? keyOffset };
  walk.values += 1;
  if (!withinBounds(walk, place)) return leaf(place, null);
  if (isAlias(node)) {
    const target = walk.anchors.get(node.source);
    if (target) {
      const read = readNode(walk, target, path, keyOffset);
      return { value: read.value, places: { ...read.places, valueOffset: place.valueOffset } };
    }
    report(walk, place, 'a "*" reference to a name that no "&" before it gives');
    return leaf(place, null);
  }
  if (!isNode(node)) return leaf(place, null);
  if (node.tag?.startsWith('!') || node.tag === 'tag:yaml.org,2002:binary') {
    report(walk, place, 'expected a plain value, found one with a "!" tag');
  }
  const read = readContent(walk, node, place);
  // After its content: a value that refers to itself refers to nothing.
  if ('anchor' in node && node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  return read;
}

function readContent(walk: Walk, node: Node, place: Place): Read {
  if (isMap(node)) return readMap(walk, node.items, place);
  if (isSeq(node)) return readList(walk, node.items, place);
  return leaf(place, isScalar(node) ? plainScalar(node.value) : null);
}

function readMap(walk: Walk, pairs: readonly Pair[], place: Place): Read {
  const entries = new Map<string, unknown>();
  const children = new Map<string, PlaceTree>();
  for (const pair of pairs) {
    if (walk.values > MAX_VALUES) break;
    const keyOffset = offsetOf(pair.key) ?? place.valueOffset;
    const key = readKey(pair.key);
    const at = { path: key === null ? place.path : [...place.path, key], keyOffset, valueOffset: keyOffset };
    if (key === null || key === '__proto__') {
      report(walk, at, 'expected a name before the ":"');
    } else if (entries.has(key)) {
      report(walk, at, `${describeText(key)} is given twice here; one of them would be lost`);
    } else {
      const read = readNode(walk, pair.value, at.path, keyOffset);
      entries.set(key, read.value);
      children.set(key, read.places);
    }
  }
  return { value: Object.fromEntries(entries), places: { ...offsets(place), children } };
}

function readList(walk: Walk, items: readonly unknown[], place: Place): Read {
  const values: unknown[] = [];
  const children = new Map<number, PlaceTree>();
  for (const [index, item] of items.entries()) {
    if (walk.values > MAX_VALUES) break;
    const read = readNode(walk, item, [...place.path, index], offsetOf(item) ?? place.valueOffset);
    values.push(read.value);
    children.set(index, read.places);
  }
  return { value: values, places: { ...offsets(place), children } };
}

/** Names that look like numbers or truth values to YAML are names all the same: what was written counts. */
function readKey(key: unknown): string | null {
  if (!isScalar(key) || key.value === null) return null;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

/** JSON's scalars alone: what a tag made of a text (bytes, a date) was reported, and is no value. */
function plainScalar(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'object' ? null : value;
}

function withinBounds(walk: Walk, place: Place): boolean {
  if (walk.values === MAX_VALUES + 1) {
    report(walk, place, `expected at most ${MAX_VALUES} values, those behind "*" references included`);
  }
  if (place.path.length > MAX_DEPTH) report(walk, place, `expected at most ${MAX_DEPTH} levels`);
  return walk.values <= MAX_VALUES && place.path.length <= MAX_DEPTH;
}

function report(walk: Walk, place: Place, message: string): void {
  if (walk.findings.length >= MAX_FINDINGS) return;
  walk.findings.push({ path: place.path, offset: place.valueOffset, message });
}

function leaf(place: Place, value: unknown): Read {
  return { value, places: { ...offsets(place), children: new Map() } };
}

function offsets({ keyOffset, valueOffset }: Place): { keyOffset: number; valueOffset: number } {
  return { keyOffset, valueOffset };
}

function offsetOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}
