/** A file of variables as systemd's EnvironmentFile= reads it, as far as we write it: NAME=value, a line each. */
const LINE = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/;

/** The last line of a name counts, as with systemd; quotes around a value are not part of it. */
export function readVariables(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name, value = ''] = LINE.exec(line) ?? [];
    if (name !== undefined) found[name] = unquote(value.trim());
  }
  return found;
}

/**
 * The same file with other values. What else stands in it stays as it is, comments and order included; a name that is
 * not there yet is added at the end.
 *
 * @param changes `null`: its lines go
 */
export function setVariables(text: string, changes: Readonly<Record<string, string | null>>): string {
  const written = new Set<string>();
  const lines = text.split('\n').flatMap((line) => {
    const [, name] = LINE.exec(line) ?? [];
    const value = name === undefined || !Object.hasOwn(changes, name) ? undefined : changes[name];
    if (name === undefined || value === undefined) return [line];
    if (value === null || written.has(name)) return [];
    written.add(name);
    return [`${name}=${quote(value)}`];
  });
  while (lines.at(-1) === '') lines.pop();
  for (const [name, value] of Object.entries(changes)) {
    if (value !== null && !written.has(name)) lines.push(`${name}=${quote(value)}`);
  }
  return `${lines.join('\n')}\n`;
}

function unquote(value: string): string {
  const [, quoted] = /^"(.*)"$/.exec(value) ?? [];
  if (quoted !== undefined) return quoted.replace(/\\(["\\$`])/g, '$1');
  return /^'(.*)'$/.exec(value)?.[1] ?? value;
}

/** Plain where systemd reads it as it is. */
function quote(value: string): string {
  return /^[\w.,:/@%+=-]*$/.test(value) ? value : `"${value.replace(/["\\$`]/g, '\\$&')}"`;
}
