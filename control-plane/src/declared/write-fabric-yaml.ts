import { stringify } from 'yaml';

/**
 * The text of a fabric file that says what `document` says, defaults included, sections without anything in them
 * left out. Reading it gives the same declared state; the same state gives the same text.
 *
 * @param comments lines above it, without "#"
 */
export function writeFabricYaml(
  document: Readonly<Record<string, unknown>>,
  comments: readonly string[] = [],
): string {
  const sections = Object.entries(document).filter(([, section]) => holdsSomething(section));
  const head = comments.map((line) => (line === '' ? '#\n' : `# ${line}\n`)).join('');
  const body = stringify(Object.fromEntries(sections), { lineWidth: 0, aliasDuplicateObjects: false });
  const spaced = body.replace(/^(?=[a-z]+:$)/gm, '\n');
  return head === '' ? spaced : `${head}\n${spaced}`;
}

function holdsSomething(section: unknown): boolean {
  if (typeof section !== 'object' || section === null) return true;
  return Object.values(section).some((value) => !Array.isArray(value) || value.length > 0);
}
