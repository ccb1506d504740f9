/** LiteLLM's config.yaml as far as it can be carried over. Read leniently: what has another form is told, not thrown at. */
export interface LitellmConfig {
  readonly models: readonly LitellmModel[];
  readonly sections: Readonly<Record<string, Fields>>;
  readonly environment: Fields;
}

export interface LitellmModel {
  /** What clients ask for: entries of one name are one group. */
  readonly group: string;
  readonly params: Fields;
  readonly info: Fields;
  readonly path: Path;
}

export type Fields = Readonly<Record<string, unknown>>;
export type Path = readonly (string | number)[];

export interface ImportNote {
  /** In LiteLLM's file. */
  readonly path: Path;
  /** `no_counterpart`: left out. `review`: carried over in a way that somebody should look at. */
  readonly kind: 'no_counterpart' | 'review';
  readonly message: string;
  /** Where it is about in the fabric file. */
  readonly about?: Path;
}

const SECTIONS = ['router_settings', 'litellm_settings', 'general_settings'] as const;
const KNOWN: ReadonlySet<string> = new Set([
  ...SECTIONS,
  'model_list',
  'environment_variables',
  'credential_list',
]);

export function readLitellmConfig(value: unknown): {
  readonly config: LitellmConfig;
  readonly notes: readonly ImportNote[];
} {
  const root = asFields(expandMerges(value));
  const notes: ImportNote[] = Object.keys(root)
    .filter((key) => !KNOWN.has(key))
    .map((key) => ({
      path: [key],
      kind: 'no_counterpart',
      message:
        key === 'include'
          ? 'included files are not read: import each by itself'
          : 'this section has no counterpart',
    }));
  const credentials = readCredentials(root['credential_list']);
  const models: LitellmModel[] = [];
  for (const [index, entry] of asList(root['model_list']).entries()) {
    const path = ['model_list', index];
    const model = readModel(entry, path, credentials);
    if (typeof model === 'string') notes.push({ path, kind: 'no_counterpart', message: model });
    else models.push(model);
  }
  const environment = asFields(root['environment_variables']);
  notes.push(...unusedVariables(environment, root));
  const sections = Object.fromEntries(SECTIONS.map((name) => [name, asFields(root[name])]));
  return { config: { models, sections, environment }, notes };
}

function unusedVariables(environment: Fields, root: Fields): ImportNote[] {
  const { environment_variables: _, ...others } = root;
  const text = JSON.stringify(others);
  return Object.keys(environment)
    .filter((name) => !text.includes(`"os.environ/${name}"`))
    .map((name) => ({
      path: ['environment_variables', name],
      kind: 'no_counterpart',
      message:
        'nothing in this file asks for it; what a key is read from is set where the control plane is started',
    }));
}

function readModel(
  entry: unknown,
  path: Path,
  credentials: ReadonlyMap<string, Fields>,
): LitellmModel | string {
  const fields = asFields(entry);
  const group = fields['model_name'];
  if (typeof group !== 'string' || group === '') return 'an entry without model_name';
  if (group.includes('*')) return 'names with "*" are not known here: list each model that clients use';
  const { litellm_credential_name: credential, ...params } = asFields(fields['litellm_params']);
  const known = typeof credential === 'string' ? credentials.get(credential) : undefined;
  return { group, params: { ...known, ...params }, info: asFields(fields['model_info']), path };
}

function readCredentials(list: unknown): ReadonlyMap<string, Fields> {
  const entries = asList(list).map(asFields);
  return new Map(
    entries.map((each) => [String(each['credential_name']), asFields(each['credential_values'])]),
  );
}

/** `<<` of YAML 1.1, which Python's reader knows: fields of the mapping itself win. */
function expandMerges(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expandMerges);
  if (typeof value !== 'object' || value === null) return value;
  const { '<<': merged, ...own } = value as Fields;
  const expanded = Object.fromEntries(Object.entries(own).map(([key, each]) => [key, expandMerges(each)]));
  const sources = Array.isArray(merged) ? merged.toReversed() : [merged];
  return Object.assign({}, ...sources.map((each) => asFields(expandMerges(each))), expanded) as Fields;
}

export function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
