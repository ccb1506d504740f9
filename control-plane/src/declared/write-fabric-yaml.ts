import { Document, isMap, isScalar, isSeq, type Pair, visit } from 'yaml';

export interface FabricComment {
  /** What it stands above, in the fabric file. */
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/**
 * The text of a fabric file that says what `document` says, sections without anything in them left out. Reading it
 * gives the same declared state; the same document gives the same text.
 *
 * @param head lines above everything, without "#"
 */
export function writeFabricYaml(
  document: Readonly<Record<string, unknown>>,
  head: readonly string[] = [],
  comments: readonly FabricComment[] = [],
): string {
  const sections = Object.entries(document).filter(([, section]) => holdsSomething(section));
  const yaml = new Document(Object.fromEntries(sections), { aliasDuplicateObjects: false });
  for (const { path, text } of comments) commentAbove(yaml, path, text);
  makeTargetsShort(yaml);
  const above = head.map((line) => `#${line === '' ? '' : ' '}${line}\n`).join('');
  const body = yaml.toString({ lineWidth: 0 }).replace(/^(?=[a-z]+:$)/gm, '\n');
  return above === '' ? body : `${above}\n${body}`;
}

function holdsSomething(section: unknown): boolean {
  if (section === undefined) return false;
  if (typeof section !== 'object' || section === null) return true;
  return Object.values(section).some((value) => !Array.isArray(value) || value.length > 0);
}

function commentAbove(yaml: Document, path: readonly (string | number)[], text: string): void {
  const parent = yaml.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return;
  const key = parent.items
    .map(({ key: each }: Pair) => each)
    .find((each) => isScalar(each) && each.value === path.at(-1));
  if (!isScalar(key)) return;
  const line = ` ${text.replaceAll('\n', ' ')}`;
  key.commentBefore = key.commentBefore ? `${key.commentBefore}\n${line}` : line;
}

/** A target on a line of its own: `- { deployment: qwen }`. */
function makeTargetsShort(yaml: Document): void {
  visit(yaml, {
    Pair: (_, { key, value }) => {
      if (!isScalar(key) || key.value !== 'targets' || !isSeqOfMaps(value)) return;
      for (const item of value.items) item.flow = true;
    },
  });
}

function isSeqOfMaps(value: unknown): value is { items: { flow?: boolean }[] } {
  return isSeq(value) && value.items.every((item) => isMap(item));
}
