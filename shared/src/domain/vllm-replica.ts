import { z } from 'zod';
import { modelNameSchema, nameSchema } from './names.js';
import { taskSchema } from './task.js';

/**
 * What an agent is asked to keep as a container with vLLM in it. Every text is of a strict shape: nothing of it
 * reaches a shell, becomes a path, or is taken for an option of the engine.
 */

/** A Hugging Face id, "org/name"; its own rules forbid "--" and "..", which would make paths and options. */
export const huggingFaceModelSchema = z
  .string()
  .max(193)
  .regex(
    /^(?!.*(?:--|\.\.))[A-Za-z0-9_][A-Za-z0-9._-]{0,94}[A-Za-z0-9_]?\/[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/,
    'a Hugging Face model, "organisation/name"',
  );

/** A branch, tag or commit of a model's repository, such as "main", "refs/pr/3" or 40 hexadecimal digits. */
export const modelRevisionSchema = z
  .string()
  .max(128)
  .regex(
    /^(?!.*(?:\.\.|\/\/|\/\.))[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?$/,
    'a branch, tag or commit, such as "main"',
  );

/** A container image with a tag, a digest or both: `vllm/vllm-openai:v0.11.0`, `host:5000/name@sha256:…`. */
export const imageReferenceSchema = z
  .string()
  .max(300)
  .regex(
    /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/,
    'an image with a tag or a digest, such as vllm/vllm-openai:v0.11.0',
  );

export const quantizationSchema = z
  .string()
  .max(40)
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'a method that vLLM knows, such as "awq"');

/** One element of the engine's argument list. No control characters: it is shown to operators. */
export const engineArgumentSchema = z
  .string()
  .min(1)
  .max(500)
  .regex(/^\P{Cc}+$/u, 'an argument without control characters');

export const environmentNameSchema = z
  .string()
  .max(100)
  .regex(/^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable');

/** `env` and `file` are read on the host, by its agent; `value` is no secret. */
export const environmentValueSchema = z.union([
  z.strictObject({ env: environmentNameSchema }),
  z.strictObject({
    file: z
      .string()
      .max(500)
      .regex(/^(\/|[A-Za-z]:[\\/]|\\\\)\P{Cc}*$/u, 'the absolute path of a file'),
  }),
  z.strictObject({
    value: z
      .string()
      .max(2_000)
      .regex(/^\P{Cc}*$/u, 'a value without control characters'),
  }),
]);
export type EnvironmentValue = z.infer<typeof environmentValueSchema>;

/** As NVML writes it: `GPU-…` or, for a slice of a card, `MIG-…`. */
export const gpuUuidSchema = z
  .string()
  .max(80)
  .regex(
    /^(GPU|MIG)-[0-9A-Za-z/-]+$/,
    'the UUID of a card, such as GPU-5f1d3c8e-7a42-4c1e-9a53-1f0f7d3c2b11',
  );

export const gpuChoiceSchema = z.discriminatedUnion('select', [
  z.strictObject({ select: z.literal('any') }),
  z.strictObject({ select: z.literal('none') }),
  z.strictObject({ select: z.literal('uuid'), uuid: gpuUuidSchema }),
  z.strictObject({ select: z.literal('index'), index: z.int().min(0).max(255) }),
]);
export type GpuChoice = z.infer<typeof gpuChoiceSchema>;

export const contextTokensSchema = z.int().min(1).max(100_000_000);
export const maxConcurrentSchema = z.int().min(1).max(4_096);
export const gpuMemoryRatioSchema = z.number().min(0.05).max(0.98);

/** A smaller configuration, tried once after the one before it ran out of memory. */
export const fallbackSchema = z.strictObject({
  contextTokens: contextTokensSchema.optional(),
  maxConcurrent: maxConcurrentSchema.optional(),
  gpuMemoryRatio: gpuMemoryRatioSchema.optional(),
});
export type Fallback = z.infer<typeof fallbackSchema>;

export const wishSchema = z.enum(['running', 'parked', 'stopped']);
export type Wish = z.infer<typeof wishSchema>;

/** `tunnel`: the engine listens on loopback alone. `direct`: its port is open on the host, behind its key. */
export const reachSchema = z.enum(['tunnel', 'direct']);
export type Reach = z.infer<typeof reachSchema>;

/** The name or id of a container that somebody else made. */
export const containerNameSchema = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'the name of a container');

export const vllmReplicaSchema = z.strictObject({
  deployment: nameSchema,
  task: taskSchema,
  engine: z.literal('vllm'),
  /** The replica's own served name. */
  servedModel: modelNameSchema,
  model: huggingFaceModelSchema,
  revision: modelRevisionSchema.nullable(),
  image: imageReferenceSchema,
  quantization: quantizationSchema.nullable(),
  /** Prompt and answer together; `null`: as the model has it. */
  contextTokens: contextTokensSchema.nullable(),
  maxConcurrent: maxConcurrentSchema,
  /** Of the card's memory, what the engine may take; `null`: the agent chooses. */
  gpuMemoryRatio: gpuMemoryRatioSchema.nullable(),
  extraArguments: z.array(engineArgumentSchema).max(64),
  environment: z
    .record(environmentNameSchema, environmentValueSchema)
    .refine((environment) => Object.keys(environment).length <= 64, 'at most 64 variables'),
  gpu: gpuChoiceSchema,
  readyWithinSeconds: z.int().min(1).max(86_400),
  drainWithinSeconds: z.int().min(0).max(86_400),
  reach: reachSchema,
  /** On the host; `null`: the agent chooses one. */
  port: z.int().min(1).max(65_535).nullable(),
  /** Started so that it can give its card back while its container stays. */
  parkable: z.boolean(),
  wish: wishSchema,
  /** Raised for a restart. Like the wish, no part of what the container is made from. */
  restartCount: z.int().min(0),
  /** A container that somebody else made and the operator told us to take over. */
  adopt: containerNameSchema.nullable(),
  /** In order, stepped down on out-of-memory. */
  fallbacks: z.array(fallbackSchema).max(8),
});
export type VllmReplica = z.infer<typeof vllmReplicaSchema>;
