import type { FabricFileInput } from '../../declared/fabric-schema.js';
import type { CarriedModel } from './carry-models.js';
import type { ImportNote } from './litellm-config.js';
import { isName, NameBook, shortModelName } from './name-book.js';
import { OWN_HOST } from './place-address.js';

type Section<Name extends keyof FabricFileInput> = NonNullable<FabricFileInput[Name]>;
export type Target = Section<'roles'>[string]['targets'][number];

export interface DeclaredModels {
  readonly document: Required<Pick<FabricFileInput, 'hosts' | 'deployments' | 'providers'>>;
  readonly targets: ReadonlyMap<CarriedModel, Target>;
  readonly notes: readonly ImportNote[];
}

/**
 * Hosts, deployments and providers of the models. The same engine in two groups is one deployment, the same key at
 * the same address one provider.
 *
 * @param alone groups that need no role, where the model can have the group's name itself
 */
export function declareModels(
  models: readonly CarriedModel[],
  alone: ReadonlySet<string>,
  names: NameBook,
): DeclaredModels {
  const hosts: Section<'hosts'> = {};
  const deployments: Section<'deployments'> = {};
  const providers: Section<'providers'> = {};
  const targets = new Map<CarriedModel, Target>();
  const notes: ImportNote[] = [];
  const engines = new Map<string, string>();
  const clouds = new Map<string, string>();
  const providerNames = new NameBook();
  // Those with a name of their own first: others that are the same are then known by it.
  const inOrder = models.toSorted((a, b) => Number(alone.has(b.group)) - Number(alone.has(a.group)));
  for (const model of inOrder) {
    const { placed, task, params, group } = model;
    if (placed.kind === 'engine') {
      const identity = `${task} ${placed.url} ${placed.model}`;
      const isOwn = alone.has(group) && isName(group);
      const known = engines.get(identity);
      const name = known ?? (isOwn ? group : names.take(`${shortModelName(placed.model)}-${placed.host}`));
      targets.set(model, { deployment: name });
      if (known !== undefined) continue;
      engines.set(identity, name);
      hosts[placed.host] ??= {};
      const most = Number(params['max_parallel_requests']);
      deployments[name] = {
        ...{ host: placed.host, task, engine: 'external', url: placed.url, servedModel: placed.model },
        ...(Number.isInteger(most) && most > 0 && most <= 4096 ? { maxConcurrent: most } : {}),
        ...(isOwn ? {} : { listed: false }),
      };
      notes.push(...review(model, ['deployments', name]));
      continue;
    }
    const identity = `${placed.baseUrl} ${JSON.stringify(model.apiKey)}`;
    const name = clouds.get(identity) ?? providerNames.take(placed.label);
    clouds.set(identity, name);
    providers[name] ??= { baseUrl: placed.baseUrl, apiKey: model.apiKey, models: {} };
    const short = shortNameIn(providers[name].models, name, model, { alone, names });
    providers[name].models[short] = { model: placed.model, ...(task === 'chat' ? {} : { task }) };
    targets.set(model, { provider: name, model: short });
    notes.push(...review(model, ['providers', name, 'models', short]));
  }
  if (hosts[OWN_HOST] !== undefined) {
    const message =
      'the machine that LiteLLM ran on: give it the name that its agent joins with, here and below';
    notes.push({ path: ['model_list'], kind: 'review', message, about: ['hosts', OWN_HOST] });
  }
  return { document: { hosts, deployments, providers }, targets, notes };
}

type ProviderModels = Section<'providers'>[string]['models'];

function shortNameIn(
  known: ProviderModels,
  provider: string,
  { placed, task, group }: CarriedModel,
  { alone, names }: { readonly alone: ReadonlySet<string>; readonly names: NameBook },
): string {
  const same = Object.entries(known).find(
    ([, each]) => each.model === placed.model && (each.task ?? 'chat') === task,
  );
  if (same) return same[0];
  const wished = group.startsWith(`${provider}/`) ? group.slice(provider.length + 1) : '';
  if (alone.has(group) && isName(wished) && !Object.hasOwn(known, wished)) return wished;
  const base = shortModelName(placed.model);
  let short = base;
  for (let count = 2; Object.hasOwn(known, short) || names.has(`${provider}/${short}`); count += 1) {
    short = `${base}-${count}`;
  }
  names.reserve(`${provider}/${short}`);
  return short;
}

function review({ placed, path }: CarriedModel, about: readonly string[]): ImportNote[] {
  return placed.caution === undefined ? [] : [{ path, kind: 'review', message: placed.caution, about }];
}
