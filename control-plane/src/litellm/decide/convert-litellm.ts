import type { FabricFileInput } from '../../declared/fabric-schema.js';
import { type CarriedModel, carryModels } from './carry-models.js';
import { collectFallbacks } from './collect-fallbacks.js';
import { type DeclaredModels, declareModels, type Target } from './declare-models.js';
import { listUnmapped } from './list-unmapped.js';
import { type ImportNote, type LitellmConfig, readLitellmConfig } from './litellm-config.js';
import { mapTimeouts } from './map-timeouts.js';
import { isModelName, isName, NameBook } from './name-book.js';

type Roles = NonNullable<FabricFileInput['roles']>;
type Groups = ReadonlyMap<string, readonly CarriedModel[]>;

/** As many as a role may have. */
const MAX_TARGETS = 32;

export interface ConvertedLitellm {
  readonly document: FabricFileInput;
  readonly notes: readonly ImportNote[];
  /** Every name that the proxy's clients may ask for. */
  readonly clientNames: readonly string[];
}

/**
 * LiteLLM's configuration as a fabric file to review, and all that could not be carried over. A group of models
 * becomes a role; one of a single engine that nothing stands in for is that engine's deployment itself.
 *
 * @param value the parsed config.yaml
 */
export function convertLitellm(value: unknown): ConvertedLitellm {
  const { config, notes: ofReading } = readLitellmConfig(value);
  const { models, notes: ofModels } = carryModels(config);
  const groups = groupByName(models);
  const fallbacks = collectFallbacks(config, new Set(groups.keys()));
  const aliased = new Set(fallbacks.aliases.values());
  const alone = new Set(
    [...groups]
      .filter(
        ([name, members]) =>
          members.length === 1 && !fallbacks.after.has(name) && canBeItself(members, aliased),
      )
      .map(([name]) => name),
  );
  const names = new NameBook();
  const clientNames = nameGroups(groups, names);
  const declared = declareModels(models, alone, names);
  const build: Build = { config, groups, declared, after: fallbacks.after, notes: [] };
  const roles: Roles = {};
  const aliases: Record<string, string> = {};
  for (const name of groups.keys()) {
    const own = clientNames.get(name) ?? name;
    if (isReached(build, name, own)) continue;
    roles[own] = buildRole(build, name);
    if (own === name) continue;
    if (isModelName(name)) aliases[name] = own;
    else build.notes.push(lostName(groups, name, own));
  }
  for (const [alias, group] of fallbacks.aliases) {
    const own = clientNames.get(group) ?? group;
    if (isModelName(alias) && !names.has(alias)) aliases[alias] = own;
    else
      build.notes.push({
        path: ['router_settings', 'model_group_alias', alias],
        kind: 'no_counterpart',
        message: `"${alias}" cannot be an alias here`,
      });
  }
  const notes = [...ofReading, ...ofModels, ...fallbacks.notes, ...declared.notes, ...build.notes];
  return {
    document: { version: 1, ...declared.document, roles, aliases },
    notes: [...notes, ...listUnmapped(config)],
    clientNames: [...new Set([...config.models.map(({ group }) => group), ...fallbacks.aliases.keys()])],
  };
}

interface Build {
  readonly config: LitellmConfig;
  readonly groups: Groups;
  readonly declared: DeclaredModels;
  readonly after: ReadonlyMap<string, readonly string[]>;
  readonly notes: ImportNote[];
}

function groupByName(models: readonly CarriedModel[]): Groups {
  const groups = new Map<string, CarriedModel[]>();
  for (const model of models) groups.set(model.group, [...(groups.get(model.group) ?? []), model]);
  return groups;
}

/** An alias may stand for a deployment, not for a provider's model. */
function canBeItself([model]: readonly CarriedModel[], aliased: ReadonlySet<string>): boolean {
  if (model === undefined) return false;
  return model.placed.kind === 'engine' ? isName(model.group) : !aliased.has(model.group);
}

/** Valid names first: what had to be made valid must not take one. */
function nameGroups(groups: Groups, names: NameBook): ReadonlyMap<string, string> {
  const own = [...groups.keys()].toSorted((a, b) => Number(isName(b)) - Number(isName(a)));
  const named = new Map(own.map((name) => [name, names.take(name)]));
  for (const name of groups.keys()) names.reserve(name);
  return named;
}

/** Whether clients reach it by its name without a role. */
function isReached({ groups, declared, after }: Build, name: string, own: string): boolean {
  const [model, ...others] = groups.get(name) ?? [];
  if (model === undefined || others.length > 0 || after.has(name)) return false;
  const target = declared.targets.get(model);
  if (target === undefined) return false;
  return 'deployment' in target ? target.deployment === own : `${target.provider}/${target.model}` === name;
}

function buildRole(build: Build, name: string): Roles[string] {
  const own = build.groups.get(name) ?? [];
  const next = (build.after.get(name) ?? []).flatMap((each) => build.groups.get(each) ?? []);
  const [first] = own;
  const task = first?.task ?? 'chat';
  const targets = new Map<string, Target>();
  for (const model of [...own, ...next]) {
    const target = build.declared.targets.get(model);
    if (target === undefined) continue;
    const obstacle = first === undefined ? null : describeObstacle(first, model);
    if (obstacle === null) targets.set(JSON.stringify(target), target);
    else
      build.notes.push({
        path: model.path,
        kind: 'no_counterpart',
        message: `"${model.group}" cannot serve "${name}": ${obstacle}`,
      });
  }
  const listed = [...targets.values()];
  if (listed.length > MAX_TARGETS) {
    const message = `"${name}" keeps the first ${MAX_TARGETS} of ${listed.length} models`;
    build.notes.push({ path: first?.path ?? [], kind: 'no_counterpart', message });
  }
  const params = own.map((each) => each.params);
  return { task, targets: listed.slice(0, MAX_TARGETS), ...mapTimeouts(params, build.config.sections) };
}

function describeObstacle(first: CarriedModel, model: CarriedModel): string | null {
  if (model.task !== first.task) return `it is for ${model.task}, and the role for ${first.task}`;
  if (first.task === 'chat' || model.placed.model === first.placed.model) return null;
  return 'an embeddings role has one model, and the vectors of another would not match';
}

function lostName(groups: Groups, name: string, own: string): ImportNote {
  const path = groups.get(name)?.[0]?.path ?? [];
  const message = `${JSON.stringify(name)} is no name that clients can send here: it is "${own}" now`;
  return { path, kind: 'no_counterpart', message };
}
