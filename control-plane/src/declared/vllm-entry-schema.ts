import {
  containerNameSchema,
  contextTokensSchema,
  engineArgumentSchema,
  environmentNameSchema,
  environmentValueSchema,
  fallbackSchema,
  gpuMemoryRatioSchema,
  huggingFaceModelSchema,
  imageReferenceSchema,
  maxConcurrentSchema,
  modelNameSchema,
  modelRevisionSchema,
  nameSchema,
  quantizationSchema,
  reachSchema,
  taskSchema,
  wishSchema,
} from '@ai-fabric/shared';
import { z } from 'zod';
import { capabilitiesSchema } from './capability-schema.js';
import { CARD_GIGABYTES, findPreset, presetNames } from './decide/presets.js';

/** vLLM's image where none is declared. A named tag: what runs changes when we say so, not when somebody pushes. */
const DEFAULT_VLLM_IMAGE = 'vllm/vllm-openai:v0.32.0';

const GPU_FORMS = '"any", "none", the UUID of a card (GPU-…) or its index';
const GPU_NAME = /^(any|none|(GPU|MIG)-[0-9A-Za-z/-]+)$/;
/** An IP address without brackets, or a host name. */
const HOST_ADDRESS = /^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/;
const ENVIRONMENT_FORMS = '{ env: NAME }, { file: /absolute/path } or { value: TEXT }';

/** A deployment that the agent runs as a container. What a preset says may be left out; what is said here counts. */
export const vllmEntrySchema = z
  .strictObject({
    host: nameSchema.describe('The host that it runs on: one of `hosts`.'),
    engine: z.literal('vllm').describe('The agent runs vLLM in a container, and keeps it running.'),
    preset: z
      .enum(presetNames)
      .nullable()
      .default(null)
      .describe('A model and settings known to go together; whatever else stands here counts before it.'),
    cardGigabytes: z
      .union([z.literal(CARD_GIGABYTES[0]), z.literal(CARD_GIGABYTES[1])], {
        error: CARD_GIGABYTES.join(' or '),
      })
      .default(CARD_GIGABYTES[0])
      .describe('The size of card that the preset is meant for.'),
    task: taskSchema.optional().describe('What its model is for. Left out: as the preset says.'),
    model: huggingFaceModelSchema
      .optional()
      .describe('The model at Hugging Face, "organisation/name". Left out: as the preset says.'),
    revision: modelRevisionSchema
      .nullable()
      .optional()
      .describe('Branch, tag or commit of the model. Left out: its main branch.'),
    image: imageReferenceSchema
      .default(DEFAULT_VLLM_IMAGE)
      .describe('The container image, with a tag or, better, a digest.'),
    servedModel: modelNameSchema
      .optional()
      .describe('What the engine calls the model. Left out: the name of the deployment.'),
    quantization: quantizationSchema
      .nullable()
      .optional()
      .describe('How the weights are quantised. Left out: as the model itself says.'),
    contextTokens: contextTokensSchema
      .nullable()
      .optional()
      .describe('Prompt and answer together, in tokens. Left out: as the preset or the model has it.'),
    maxConcurrent: maxConcurrentSchema
      .optional()
      .describe('Requests that the engine takes at once. Left out: as the preset says, else 16.'),
    gpuMemoryRatio: gpuMemoryRatioSchema
      .nullable()
      .optional()
      .describe(
        'Of the card’s memory, what the engine may take. Left out: the agent chooses by what is free.',
      ),
    extraArguments: z
      .array(engineArgumentSchema)
      .max(64)
      .optional()
      .describe(
        'Further arguments of vLLM, one per entry; the policy of the host’s owner has the last word.',
      ),
    environment: z
      .record(environmentNameSchema, z.union(environmentValueSchema.options, { error: ENVIRONMENT_FORMS }))
      .default({})
      .describe('Variables of the container. `env` and `file` are read on the host; a secret is no `value`.'),
    gpu: z
      .union([z.string().max(80).regex(GPU_NAME, GPU_FORMS), z.int().min(0).max(255)], { error: GPU_FORMS })
      .default('any')
      .describe('The card: its UUID, its index, "any" that fits, or "none".'),
    readyWithinSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(900)
      .describe('How long a start may take before it counts as failed.'),
    drainWithinSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(120)
      .describe('How long running requests may take before the container is stopped.'),
    reach: reachSchema
      .default('tunnel')
      .describe('`tunnel`: nothing is open on the host. `direct`: its port is, behind its key.'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .nullable()
      .default(null)
      .describe('Port on the host. Left out: the agent chooses one on loopback.'),
    address: z
      .string()
      .max(253)
      .regex(HOST_ADDRESS, 'an address or a name, such as 192.168.1.20')
      .nullable()
      .default(null)
      .describe(
        'Where its port is reached, with `direct` reach. Left out: where the link of its host comes from.',
      ),
    parkable: z
      .boolean()
      .default(false)
      .describe('Can give its card back while its container stays; only in `tunnel` reach.'),
    wish: wishSchema
      .default('running')
      .describe('What is wished of it. Left out when applied: as it is now.'),
    restartCount: z
      .int()
      .min(0)
      .default(0)
      .describe('Raised for each restart that was asked for. Left out when applied: as it is now.'),
    adopt: containerNameSchema
      .nullable()
      .default(null)
      .describe(
        'A container that stands there already and is to be kept. Left out when applied: as it is now.',
      ),
    fallbacks: z
      .array(
        fallbackSchema.refine((fallback) => Object.keys(fallback).length > 0, {
          error: 'contextTokens, maxConcurrent or gpuMemoryRatio',
        }),
      )
      .max(8)
      .optional()
      .describe('Smaller settings, stepped down to when the card’s memory does not suffice.'),
    capabilities: capabilitiesSchema
      .nullable()
      .default(null)
      .describe('All that its model can beside text. Left out: not known, and nothing is ruled out.'),
    listed: z
      .boolean()
      .default(true)
      .describe('Whether clients see it in /v1/models and may ask for it under its own name.'),
  })
  .superRefine(({ preset, cardGigabytes, task, model }, context) => {
    if (preset === null) {
      const missing = { task, model };
      for (const [field, value] of Object.entries(missing)) {
        if (value !== undefined) continue;
        const message = `missing; expected it here, or a preset: ${presetNames.join(', ')}`;
        context.addIssue({ code: 'custom', path: [field], message, params: { whole: true } });
      }
      return;
    }
    const { task: meant } = findPreset(preset, cardGigabytes);
    if (task === undefined || task === meant) return;
    const message = `${meant}, as the preset ${preset} is for`;
    context.addIssue({ code: 'custom', path: ['task'], message });
  })
  .describe('A model on a host, in a container that the agent keeps.');

export type VllmEntry = z.infer<typeof vllmEntrySchema>;
