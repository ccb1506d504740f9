/** As much of a declared state as tells which names clients may ask for. */
export interface NamedState {
  readonly roles: ReadonlyMap<string, { readonly targets: readonly { readonly kind: string }[] }>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly deployments: ReadonlyMap<string, { readonly listed: boolean }>;
  readonly providers: ReadonlyMap<
    string,
    { readonly models: ReadonlyMap<string, unknown>; readonly apiKey: object | null }
  >;
}

/** Every name that clients may ask for. */
export function carryNames({ roles, aliases, deployments, providers }: NamedState): string[] {
  return [
    ...roles.keys(),
    ...[...deployments].filter(([, { listed }]) => listed).map(([name]) => name),
    ...[...providers].flatMap(([provider, { models }]) =>
      [...models.keys()].map((each) => `${provider}/${each}`),
    ),
    ...aliases.keys(),
  ];
}

/** Names that a provider alone answers, and no host. */
export function listCloudNames({ roles, aliases, providers }: NamedState): ReadonlySet<string> {
  const names = new Set([
    ...[...roles]
      .filter(([, { targets }]) => targets.every(({ kind }) => kind === 'provider'))
      .map(([name]) => name),
    ...[...providers].flatMap(([provider, { models }]) =>
      [...models.keys()].map((each) => `${provider}/${each}`),
    ),
  ]);
  return new Set([...names, ...[...aliases].filter(([, own]) => names.has(own)).map(([alias]) => alias)]);
}

/** Variables that providers' keys are read from. */
export function listKeyVariables({ providers }: Pick<NamedState, 'providers'>): string[] {
  const names = [...providers.values()].flatMap(({ apiKey }) =>
    apiKey !== null && 'env' in apiKey && typeof apiKey.env === 'string' ? [apiKey.env] : [],
  );
  return [...new Set(names)].toSorted();
}
