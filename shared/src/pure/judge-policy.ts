import type { HostPolicy, PowerVerb } from '../domain/agent-policy.js';
import { isOwnVariable, optionOf, ownArgument } from '../domain/engine-arguments.js';
import type { EnvironmentValue, VllmReplica } from '../domain/vllm-replica.js';

/** Named as in agent.yaml, where one of its fields would allow it. */
export type PolicyRule =
  | 'images'
  | 'requireDigest'
  | 'models'
  | 'arguments'
  | 'trustRemoteCode'
  | 'plugins'
  | 'pickle'
  | 'environment'
  | 'hostVariables'
  | 'hostFiles'
  | 'directReach'
  | 'adopt'
  | 'power'
  | 'upgrades';

export type PolicyVerdict =
  | { readonly allowed: true }
  /** `detail` in words for the operator; never with a value that may be a secret. */
  | { readonly allowed: false; readonly rule: PolicyRule; readonly detail: string };

const ALLOWED: PolicyVerdict = { allowed: true };

/** Code by another name: each lets whoever names a class or a file run it. */
const PLUGIN_OPTIONS: ReadonlySet<string> = new Set([
  '--io-processor-plugin',
  '--kv-transfer-config',
  '--logits-processor-pattern',
  '--logits-processors',
  '--middleware',
  '--model-impl',
  '--reasoning-parser-plugin',
  '--scheduler-cls',
  '--speculative-config',
  '--tool-parser-plugin',
  '--worker-cls',
  '--worker-extension-cls',
]);
const CODE_VARIABLES: ReadonlySet<string> = new Set([
  'LD_AUDIT',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  'PYTHONHOME',
  'PYTHONPATH',
  'PYTHONSTARTUP',
  'VLLM_ALLOW_INSECURE_SERIALIZATION',
  'VLLM_PLUGINS',
]);
/** Beside these, `auto` falls back to pickle files where there are no others. */
const SAFE_LOAD_FORMATS: ReadonlySet<string> = new Set(['safetensors', 'fastsafetensors', 'gguf']);
/** What an option's value may look like: a word, a number, or JSON. No path, no address. */
const PLAIN_VALUE = /^-?[A-Za-z0-9][A-Za-z0-9._,:+-]*$/;
const JSON_VALUE = /^[{[][^/\\]*[}\]]$/;

/** Of the file, or as it was told: they differ in how they speak of upgrades. */
type JudgedPolicy = Omit<HostPolicy, 'upgrades' | 'upgradeMode'>;

/** Whether the owner of a host lets a replica be kept there as it is declared. The first rule that forbids it is told. */
export function judgePolicy(desired: VllmReplica, policy: JudgedPolicy): PolicyVerdict {
  return firstRefusal([
    () => judgeImage(desired.image, policy),
    () => judgeModel(desired.model, policy),
    () => judgeArguments(desired.extraArguments, policy),
    () => judgeEnvironment(desired.environment, policy),
    () => judgeReach(desired, policy),
    () => judgeAdoption(desired.adopt, policy),
  ]);
}

export function judgePowerVerb(verb: PowerVerb, policy: Pick<HostPolicy, 'power'>): PolicyVerdict {
  if (policy.power.includes(verb)) return ALLOWED;
  return refuse('power', `${verb} is not among: ${policy.power.join(', ') || 'nothing'}`);
}

export function judgeUpgrade(policy: Pick<HostPolicy, 'upgrades'>): PolicyVerdict {
  return policy.upgrades ? ALLOWED : refuse('upgrades', 'upgrades are left to the owner of the host');
}

function judgeImage(image: string, policy: JudgedPolicy): PolicyVerdict {
  const [named = ''] = image.split('@');
  const repository = canonicalRepository(named.replace(/:[^/:]*$/, ''));
  const allowed = policy.images.some((pattern) => matches(canonicalRepository(pattern), repository));
  if (!allowed) return refuse('images', `the repository ${repository} is not among: ${list(policy.images)}`);
  if (policy.requireDigest && !image.includes('@sha256:')) {
    return refuse('requireDigest', `${image} is named by a tag; a digest (@sha256:…) is required`);
  }
  return ALLOWED;
}

/** `vllm/vllm-openai`, `docker.io/vllm/vllm-openai` and `index.docker.io/…` are one. */
function canonicalRepository(text: string): string {
  if (text === '*') return text;
  const [first = ''] = text.split('/');
  const isRegistry =
    text.includes('/') && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const named = isRegistry ? text : `docker.io/${text}`;
  return named
    .replace(/^(index|registry-1)\.docker\.io\//, 'docker.io/')
    .replace(/^docker\.io\/library\//, 'docker.io/');
}

function judgeModel(model: string, policy: JudgedPolicy): PolicyVerdict {
  if (policy.models.some((pattern) => matches(pattern.toLowerCase(), model.toLowerCase()))) return ALLOWED;
  return refuse('models', `${model} is not among: ${list(policy.models)}`);
}

function judgeArguments(argv: readonly string[], policy: JudgedPolicy): PolicyVerdict {
  const allowed = new Set([...policy.arguments, ...policy.moreArguments]);
  let index = 0;
  while (index < argv.length) {
    const argument = argv[index] ?? '';
    const option = optionOf(argument);
    if (option === null) return refuse('arguments', `"${clip(argument)}" stands where an option is expected`);
    const refusal = judgeOption(option, argument, allowed, policy);
    if (!refusal.allowed) return refusal;
    const inline = argument.indexOf('=');
    const takesValue = allowed.has(`${option}=`) || (option === '--load-format' && !allowed.has(option));
    if (takesValue && inline < 0) index += 1;
    const value = !takesValue ? null : inline < 0 ? (argv[index] ?? null) : argument.slice(inline + 1);
    if (takesValue && value === null) return refuse('arguments', `${option} needs a value`);
    if (!takesValue && inline >= 0) return refuse('arguments', `${option} takes no value`);
    const wrong = value === null ? ALLOWED : judgeValue(option, value, policy);
    if (!wrong.allowed) return wrong;
    index += 1;
  }
  return ALLOWED;
}

function judgeOption(
  option: string,
  argument: string,
  allowed: ReadonlySet<string>,
  policy: JudgedPolicy,
): PolicyVerdict {
  if (ownArgument(argument) !== undefined) {
    return refuse('arguments', `${option} is set by the agent itself`);
  }
  if (option === '--trust-remote-code') {
    return policy.trustRemoteCode
      ? ALLOWED
      : refuse('trustRemoteCode', `${option} lets a model run its own code`);
  }
  if (PLUGIN_OPTIONS.has(option) && !policy.plugins) {
    return refuse('plugins', `${option} makes the engine load code by name`);
  }
  if (option === '--load-format') return ALLOWED;
  // As it is written: what vLLM would complete or rewrite to something else is not let through.
  const written = argument.split('=')[0] ?? '';
  if ((allowed.has(option) || allowed.has(`${option}=`)) && written.replaceAll('_', '-') === option)
    return ALLOWED;
  return refuse('arguments', `${clip(written)} is not among the arguments that are allowed`);
}

function judgeValue(option: string, value: string, policy: JudgedPolicy): PolicyVerdict {
  if (option === '--load-format' && !SAFE_LOAD_FORMATS.has(value) && !policy.pickle) {
    return refuse('pickle', `${option} ${clip(value)} can read pickle files, which can hold code`);
  }
  if (PLUGIN_OPTIONS.has(option) || policy.moreArguments.includes(`${option}=`)) return ALLOWED;
  if (PLAIN_VALUE.test(value) || JSON_VALUE.test(value)) return ALLOWED;
  return refuse('arguments', `${option} is given something else than a word, a number or JSON`);
}

function judgeEnvironment(
  environment: Readonly<Record<string, EnvironmentValue>>,
  policy: JudgedPolicy,
): PolicyVerdict {
  for (const [name, value] of Object.entries(environment)) {
    const verdict = firstRefusal([() => judgeVariable(name, policy), () => judgeSource(name, value, policy)]);
    if (!verdict.allowed) return verdict;
  }
  return ALLOWED;
}

function judgeVariable(name: string, policy: JudgedPolicy): PolicyVerdict {
  if (isOwnVariable(name)) return refuse('environment', `${name} is set by the agent itself`);
  if (CODE_VARIABLES.has(name.toUpperCase()) && !policy.plugins) {
    return refuse('plugins', `${name} makes the engine load code by name`);
  }
  if (policy.environment.includes(name)) return ALLOWED;
  return refuse('environment', `${name} is not among: ${list(policy.environment)}`);
}

/** What the agent can read, its secrets among them, is not the control plane's to send into a container. */
function judgeSource(name: string, value: EnvironmentValue, policy: JudgedPolicy): PolicyVerdict {
  if ('env' in value && !policy.hostVariables.includes(value.env)) {
    return refuse('hostVariables', `${name} asks for the host's variable ${value.env}`);
  }
  if ('file' in value && !policy.hostFiles.includes(value.file)) {
    return refuse('hostFiles', `${name} asks for a file of the host that is not listed`);
  }
  return ALLOWED;
}

function judgeReach({ reach }: VllmReplica, policy: JudgedPolicy): PolicyVerdict {
  if (reach === 'tunnel' || policy.directReach) return ALLOWED;
  return refuse('directReach', 'no port of an engine may be open on this host');
}

function judgeAdoption(adopt: string | null, policy: JudgedPolicy): PolicyVerdict {
  if (adopt === null || policy.adopt.some((pattern) => matches(pattern, adopt))) return ALLOWED;
  return refuse('adopt', `the container ${adopt} is not among: ${list(policy.adopt)}`);
}

function firstRefusal(judges: readonly (() => PolicyVerdict)[]): PolicyVerdict {
  for (const judge of judges) {
    const verdict = judge();
    if (!verdict.allowed) return verdict;
  }
  return ALLOWED;
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text;
}

function refuse(rule: PolicyRule, detail: string): PolicyVerdict {
  return { allowed: false, rule, detail: detail.slice(0, 300) };
}

function list(values: readonly string[]): string {
  return values.length === 0 ? 'nothing' : values.join(', ').slice(0, 150);
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
