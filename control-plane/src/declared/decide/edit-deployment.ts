/** A deployment's entry as it stands in a fabric file: plain JSON, checked as a whole once it was edited. */
export type DeploymentEntry = Readonly<Record<string, unknown>>;

export type DeploymentVerb = 'stop' | 'start' | 'restart' | 'park' | 'unpark';

export type VerbVerdict =
  | { readonly kind: 'edit'; readonly entry: DeploymentEntry }
  | {
      readonly kind: 'refuse';
      readonly code: 'not_managed' | 'invalid';
      readonly detail: string;
      readonly fix: string;
    };

/** What a preset says of its model: another preset says it anew. */
const OF_PRESET = [
  ...['task', 'model', 'revision', 'quantization', 'contextTokens'],
  ...['maxConcurrent', 'extraArguments', 'fallbacks', 'capabilities'],
];
/** What is true of one model alone. */
const OF_MODEL = ['revision', 'quantization', 'capabilities'];

/**
 * Fields given replace those of the entry, whole; `null` takes one out, so that its default holds again. With another
 * preset or model goes what stood there for the one before it, unless it is given too.
 */
export function mergeEntry(entry: DeploymentEntry, changes: DeploymentEntry): DeploymentEntry {
  const merged = new Map(Object.entries(entry));
  for (const field of outdatedBy(entry, changes)) merged.delete(field);
  for (const [field, value] of Object.entries(changes)) {
    if (value === null || value === undefined) merged.delete(field);
    else merged.set(field, value);
  }
  return Object.fromEntries(merged);
}

function outdatedBy(entry: DeploymentEntry, changes: DeploymentEntry): readonly string[] {
  const isAnother = (field: string) =>
    changes[field] !== undefined && changes[field] !== null && changes[field] !== entry[field];
  const preset = changes['preset'] === undefined ? entry['preset'] : changes['preset'];
  if (preset && (isAnother('preset') || isAnother('cardGigabytes'))) return OF_PRESET;
  return isAnother('model') ? OF_MODEL : [];
}

/** What a verb makes of an entry. Stopping what is stopped changes nothing; a restart is one each time. */
export function applyVerb(name: string, entry: DeploymentEntry, verb: DeploymentVerb): VerbVerdict {
  const refused = refuseUnmanaged(name, entry, verb);
  if (refused) return refused;
  switch (verb) {
    case 'stop':
      return edit(entry, { wish: 'stopped' });
    case 'start':
    case 'unpark':
      return edit(entry, { wish: 'running' });
    case 'restart':
      return edit(entry, { wish: 'running', restartCount: countOf(entry) + 1 });
    case 'park':
      return entry['parkable'] === true ? edit(entry, { wish: 'parked' }) : notParkable(name, entry);
    default:
      return verb satisfies never;
  }
}

/** Tells its host's agent to take an existing container for the deployment's replica; `null`: to keep its own again. */
export function adoptContainer(name: string, entry: DeploymentEntry, container: string | null): VerbVerdict {
  return refuseUnmanaged(name, entry, 'adopt') ?? edit(entry, { adopt: container });
}

function edit(entry: DeploymentEntry, changes: DeploymentEntry): VerbVerdict {
  return { kind: 'edit', entry: mergeEntry(entry, changes) };
}

function countOf({ restartCount }: DeploymentEntry): number {
  return typeof restartCount === 'number' ? restartCount : 0;
}

function refuseUnmanaged(name: string, { engine }: DeploymentEntry, verb: string): VerbVerdict | null {
  if (engine !== 'external') return null;
  return {
    kind: 'refuse',
    code: 'not_managed',
    detail: `deployment "${name}" has an external engine: somebody else runs it, and the agent only watches it`,
    fix:
      verb === 'adopt'
        ? `declare it with "engine: vllm" and its model first, then adopt its container`
        : `${verb} it where it runs, or declare it with "engine: vllm"`,
  };
}

function notParkable(name: string, { reach }: DeploymentEntry): VerbVerdict {
  const direct = reach === 'direct';
  return {
    kind: 'refuse',
    code: 'invalid',
    detail: direct
      ? `deployment "${name}" cannot be parked: that opens paths of its engine that only a tunnel keeps from others, and its reach is direct`
      : `deployment "${name}" cannot be parked: its engine was not started for that`,
    fix: `${direct ? 'set its reach to tunnel and ' : ''}set "parkable: true", which recreates its container, or stop it: ai-fabric deployments stop ${name}`,
  };
}
