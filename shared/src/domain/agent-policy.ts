import { z } from 'zod';
import { environmentNameSchema } from './vllm-replica.js';

/**
 * What a host's owner lets the control plane do with the host: the file agent.yaml, which no command can change. A
 * stolen control plane must not own the machine, so what is not allowed here is refused.
 */

export const powerVerbSchema = z.enum(['suspend', 'hibernate', 'poweroff', 'reboot']);
export type PowerVerb = z.infer<typeof powerVerbSchema>;

/** What becomes of a newer agent that the control plane tells of: nothing, what the owner says then, or an upgrade. */
export const upgradeModeSchema = z.enum(['off', 'confirm', 'auto']);
export type UpgradeMode = z.infer<typeof upgradeModeSchema>;

/** `--name` for a flag; `--name=` for an option that takes one value. */
const allowedArgumentSchema = z
  .string()
  .max(100)
  .regex(
    /^--[a-z][a-z0-9-]*=?$/,
    'an option such as --enforce-eager, or --kv-cache-dtype= where it takes a value',
  );

export const DEFAULT_ALLOWED_ARGUMENTS: readonly string[] = [
  '--block-size=',
  '--chat-template-content-format=',
  '--cpu-offload-gb=',
  '--default-chat-template-kwargs=',
  '--disable-log-requests',
  '--disable-log-stats',
  '--dtype=',
  '--enable-auto-tool-choice',
  '--enable-chunked-prefill',
  '--enable-prefix-caching',
  '--enable-prompt-tokens-details',
  '--enable-server-load-tracking',
  '--enforce-eager',
  '--generation-config=',
  '--kv-cache-dtype=',
  '--limit-mm-per-prompt=',
  '--max-logprobs=',
  '--max-num-batched-tokens=',
  '--max-num-queued-reqs=',
  '--max-num-queued-tokens=',
  '--mm-processor-cache-gb=',
  '--no-enable-chunked-prefill',
  '--no-enable-prefix-caching',
  '--pipeline-parallel-size=',
  '--reasoning-parser=',
  '--scheduling-policy=',
  '--seed=',
  '--swap-space=',
  '--tensor-parallel-size=',
  '--tokenizer-mode=',
  '--tool-call-parser=',
];

export const DEFAULT_ALLOWED_ENVIRONMENT: readonly string[] = [
  'HF_HUB_DOWNLOAD_TIMEOUT',
  'HF_TOKEN',
  'HUGGING_FACE_HUB_TOKEN',
  'LANG',
  'OMP_NUM_THREADS',
  'PYTORCH_ALLOC_CONF',
  'PYTORCH_CUDA_ALLOC_CONF',
  'TZ',
  'VLLM_ATTENTION_BACKEND',
  'VLLM_CPU_KVCACHE_SPACE',
  'VLLM_LOGGING_LEVEL',
  'VLLM_WSL2_ENABLE_PIN_MEMORY',
];

const patternSchema = (what: string) =>
  z
    .string()
    .min(1)
    .max(300)
    .regex(/^[A-Za-z0-9*][A-Za-z0-9._:/-]*\*?$/, `${what}; a "*" at its end stands for anything`);

/** What the owner says of it themselves. What is left out holds as declared. */
const ownYieldSchema = z.strictObject({
  automatic: z.boolean().optional().describe('What others run on the card takes the card.'),
  drainSeconds: z.number().min(0).max(600).optional().describe('Requests that run may finish for so long.'),
  action: z
    .enum(['park', 'stop'])
    .optional()
    .describe('stop: the containers end; park: vLLM sleeps, and its container stays.'),
  quietMinutes: z
    .number()
    .min(0.1)
    .max(1_440)
    .optional()
    .describe('The fabric is back after so long without use by others.'),
  vramGigabytes: z
    .number()
    .min(0)
    .max(1_000)
    .optional()
    .describe('So much memory of others (10^9 bytes), above the desktop’s own, is use.'),
  utilisationRatio: z.number().min(0).max(1).optional().describe('So is this much work of others.'),
});
export type OwnYield = z.infer<typeof ownYieldSchema>;

export const agentPolicySchema = z
  .strictObject({
    version: z.literal(1).describe('Version of the format of this file.'),
    images: z
      .array(patternSchema('a repository such as vllm/vllm-openai, without a tag'))
      .max(64)
      .default(['vllm/vllm-openai'])
      .describe('Image repositories that containers may be made from.'),
    requireDigest: z
      .boolean()
      .default(false)
      .describe(
        'Only images that are named by their digest: what a tag stands for can be changed by others.',
      ),
    models: z
      .array(patternSchema('a model such as Qwen/*'))
      .max(64)
      .default(['*'])
      .describe('Models of Hugging Face that may be run.'),
    memoryLimitGigabytes: z
      .number()
      .gt(0)
      .max(100_000)
      .nullable()
      .default(null)
      .describe('The most memory (10^9 bytes) that one container gets. Left out: no limit.'),
    arguments: z
      .array(allowedArgumentSchema)
      .max(200)
      .default([...DEFAULT_ALLOWED_ARGUMENTS])
      .describe('Arguments of vLLM that may be asked for, instead of the usual ones.'),
    moreArguments: z
      .array(allowedArgumentSchema)
      .max(200)
      .default([])
      .describe('Arguments of vLLM that may be asked for, beside those.'),
    environment: z
      .array(environmentNameSchema)
      .max(200)
      .default([...DEFAULT_ALLOWED_ENVIRONMENT])
      .describe('Variables that a container may be given.'),
    hostVariables: z
      .array(environmentNameSchema)
      .max(200)
      .default(['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'])
      .describe('Variables of the agent itself that may be passed on into a container.'),
    hostFiles: z
      .array(z.string().min(1).max(500))
      .max(64)
      .default([])
      .describe('Absolute paths of files whose content may be passed on into a container, as a variable.'),
    trustRemoteCode: z
      .boolean()
      .default(false)
      .describe('Lets a model’s repository run code of its own (--trust-remote-code).'),
    plugins: z
      .boolean()
      .default(false)
      .describe('Lets the engine load plug-ins, middleware and classes by name.'),
    pickle: z
      .boolean()
      .default(false)
      .describe('Lets weights be read from pickle files, which can hold code; else only safetensors.'),
    directReach: z
      .boolean()
      .default(true)
      .describe('Lets an engine’s port be open on the host, behind its key.'),
    directAddress: z
      .union([z.ipv4(), z.ipv6().regex(/[0-9a-f]/i)], {
        error: 'an address of this host, such as 192.168.1.20',
      })
      .nullable()
      .default(null)
      .describe(
        'The address of this host that such a port is open on; 0.0.0.0 is all of them. Left out: the one that the link to the control plane leaves from.',
      ),
    adopt: z
      .array(patternSchema('the name of a container'))
      .max(64)
      .default(['vllm-*'])
      .describe('Containers of somebody else that may be taken over.'),
    power: z
      .array(powerVerbSchema)
      .max(8)
      .default(['suspend', 'poweroff'])
      .describe('What may be done to the power of this host.'),
    yield: ownYieldSchema
      .default({})
      .describe(
        'How this host yields to its owner: what is said here goes before what fabric.yaml declares.',
      ),
    upgrades: z
      .union(
        // Before there were three ways it was a yes or a no.
        [upgradeModeSchema, z.boolean().transform((wanted): UpgradeMode => (wanted ? 'confirm' : 'off'))],
        { error: 'off, confirm or auto' },
      )
      .prefault('confirm')
      .describe(
        'What becomes of a newer agent that the control plane offers. off: nothing; confirm: the owner is told, and says yes with "ai-fabric-agent upgrade"; auto: it is put in place.',
      ),
  })
  .describe('What the control plane may do with this host: the policy of its owner.');
export type AgentPolicy = z.infer<typeof agentPolicySchema>;
export type AgentPolicyInput = z.input<typeof agentPolicySchema>;

const told = z.array(z.string().max(500));

/**
 * The policy as a host's agent tells it, so that what it will refuse is known before it is asked. It is advice: the
 * agent has the last word. Lists are of plain texts, since a later agent may allow what this program has no name for.
 */
export const hostPolicySchema = z.object({
  images: told.max(64),
  requireDigest: z.boolean(),
  models: told.max(64),
  memoryLimitGigabytes: z.number().nullable(),
  arguments: told.max(200),
  moreArguments: told.max(200),
  environment: told.max(200),
  hostVariables: told.max(200),
  hostFiles: told.max(64),
  trustRemoteCode: z.boolean(),
  plugins: z.boolean(),
  pickle: z.boolean(),
  directReach: z.boolean(),
  adopt: told.max(64),
  power: told.max(16),
  /** Not `off`. */
  upgrades: z.boolean(),
  /** Left out by an older agent. */
  upgradeMode: z.string().max(20).optional(),
});
export type HostPolicy = z.infer<typeof hostPolicySchema>;

/** A policy as its agent tells it: whole, but for what concerns the file itself. */
export function tellPolicy({ version: _version, yield: _yield, upgrades, ...rest }: AgentPolicy): HostPolicy {
  return { ...rest, upgrades: upgrades !== 'off', upgradeMode: upgrades };
}

/** What holds where the owner says nothing. */
export const DEFAULT_AGENT_POLICY: AgentPolicy = agentPolicySchema.parse({ version: 1 });
