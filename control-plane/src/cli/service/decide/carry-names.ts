/** As much of a declared state as tells which names clients may ask for. */
export interface NamedState {
  readonly roles: ReadonlyMap<string, unknown>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly deployments: ReadonlyMap<string, { readonly listed: boolean }>;
  readonly providers: ReadonlyMap<
    string,
    { readonly models: ReadonlyMap<string, unknown>; readonly apiKey: object | null }
  >;
}

/** Every name that clients may ask for, with the one that it stands for. */
export function carryNames({ roles, aliases, deployments, providers }: NamedState): Record<string, string> {
  const own = [
    ...roles.keys(),
    ...[...deployments].filter(([, { listed }]) => listed).map(([name]) => name),
    ...[...providers].flatMap(([provider, { models }]) =>
      [...models.keys()].map((each) => `${provider}/${each}`),
    ),
  ];
  return Object.fromEntries([...own.map((name) => [name, name]), ...aliases]);
}

/** Variables that providers' keys are read from. */
export function listKeyVariables({ providers }: Pick<NamedState, 'providers'>): string[] {
  const names = [...providers.values()].flatMap(({ apiKey }) =>
    apiKey !== null && 'env' in apiKey && typeof apiKey.env === 'string' ? [apiKey.env] : [],
  );
  return [...new Set(names)].toSorted();
}
