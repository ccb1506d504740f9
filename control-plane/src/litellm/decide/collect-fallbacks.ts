import { asFields, asList, type ImportNote, type LitellmConfig, type Path } from './litellm-config.js';

export interface Fallbacks {
  /** Group → groups that stand in for it, in order, itself not among them. */
  readonly after: ReadonlyMap<string, readonly string[]>;
  /** Alias → group. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly notes: readonly ImportNote[];
}

const ALIASES: Path = ['router_settings', 'model_group_alias'];

/** Which group stands in for which, and their other names. What leads nowhere or in a circle is told and left out. */
export function collectFallbacks(config: LitellmConfig, groups: ReadonlySet<string>): Fallbacks {
  const notes: ImportNote[] = [];
  const aliases = readAliases(config, groups, notes);
  const after = new Map<string, string[]>();
  const add = (group: string, named: unknown, path: Path) => {
    const next = typeof named === 'string' ? (aliases.get(named) ?? named) : '';
    if (!groups.has(next)) {
      notes.push({
        path,
        kind: 'no_counterpart',
        message: `nothing is carried over that is called ${JSON.stringify(named)}`,
      });
      return;
    }
    const known = after.get(group) ?? [];
    if (next !== group && !known.includes(next)) after.set(group, [...known, next]);
  };
  for (const section of ['router_settings', 'litellm_settings']) {
    for (const [index, entry] of asList(config.sections[section]?.['fallbacks']).entries()) {
      for (const [name, list] of Object.entries(asFields(entry))) {
        const path = [section, 'fallbacks', index, name];
        const group = aliases.get(name) ?? name;
        if (groups.has(group)) for (const named of asList(list)) add(group, named, path);
        else
          notes.push({
            path,
            kind: 'no_counterpart',
            message: `nothing is carried over that is called "${name}"`,
          });
      }
    }
  }
  for (const section of ['router_settings', 'litellm_settings']) {
    const path = [section, 'default_fallbacks'];
    for (const named of asList(config.sections[section]?.['default_fallbacks'])) {
      const next = aliases.get(String(named)) ?? named;
      if (typeof next === 'string' && groups.has(next)) for (const group of groups) add(group, next, path);
      else add('', named, path);
    }
  }
  return { after, aliases, notes };
}

function readAliases(
  config: LitellmConfig,
  groups: ReadonlySet<string>,
  notes: ImportNote[],
): ReadonlyMap<string, string> {
  const entries = Object.entries(asFields(config.sections['router_settings']?.['model_group_alias']));
  const written = new Map(entries.map(([alias, value]) => [alias, modelOf(value)]));
  const aliases = new Map<string, string>();
  for (const [alias, value] of entries) {
    const path = [...ALIASES, alias];
    const group = follow(written, alias, groups);
    if (groups.has(alias))
      notes.push({
        path,
        kind: 'no_counterpart',
        message: `"${alias}" is the name of a model too, which is kept`,
      });
    else if (group === null)
      notes.push({
        path,
        kind: 'no_counterpart',
        message: `"${alias}" leads to nothing that is carried over`,
      });
    else aliases.set(alias, group);
    if (asFields(value)['hidden'] === true) {
      notes.push({
        path,
        kind: 'no_counterpart',
        message: `"${alias}" was hidden; aliases are listed in /v1/models`,
      });
    }
  }
  return aliases;
}

/** Aliases of aliases are followed; one that comes round again leads to nothing. */
function follow(
  written: ReadonlyMap<string, string>,
  alias: string,
  groups: ReadonlySet<string>,
): string | null {
  const seen = new Set<string>();
  let name: string | undefined = alias;
  while (name !== undefined && !seen.has(name)) {
    if (groups.has(name)) return name;
    seen.add(name);
    name = written.get(name);
  }
  return null;
}

function modelOf(value: unknown): string {
  return typeof value === 'string' ? value : String(asFields(value)['model'] ?? '');
}
