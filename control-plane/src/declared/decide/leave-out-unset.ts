type Fields = Readonly<Record<string, unknown>>;

/** Sections whose keys are names: an entry with nothing in it is there all the same. */
const NAMED = new Set(['hosts', 'deployments', 'providers', 'roles', 'aliases']);

/**
 * The plain value of a fabric file without the fields that are `null`, where reading it gives the same without
 * them. A `null` that is an answer stays: "not what the preset says", "no container to take over".
 */
export function leaveOutUnset(document: Fields): Record<string, unknown> {
  const sections = Object.entries(document).filter(([, section]) => section !== null);
  return mapFields(Object.fromEntries(sections), (section, name) => {
    if (!isFields(section)) return section;
    return NAMED.has(name) ? mapFields(section, withoutUnset) : withoutUnset(section);
  });
}

function withoutUnset(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUnset);
  if (!isFields(value)) return value;
  const said = Object.entries(value).filter(([name, field]) => field !== null || isAnswer(value, name));
  return mapFields(Object.fromEntries(said), withoutUnset);
}

function isAnswer({ engine, preset }: Fields, name: string): boolean {
  if (engine !== 'vllm') return false;
  // What a preset says counts where nothing is said; what is as it is counts where a file that is applied says nothing.
  return name === 'adopt' || (preset != null && (name === 'contextTokens' || name === 'quantization'));
}

function mapFields(fields: Fields, map: (field: unknown, name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, map(field, name)]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
