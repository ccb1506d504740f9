import {
  contextTokensSchema,
  externalReplicaSchema,
  modelNameSchema,
  nameSchema,
  taskSchema,
} from '@ai-fabric/shared';
import { z } from 'zod';
import { capabilitiesSchema } from './capability-schema.js';
import { describeUrlProblem } from './decide/describe-url-problem.js';
import { providerEndpoints } from './declared-state.js';
import { describeCronProblem } from './describe-cron-problem.js';
import {
  energyEntrySchema,
  onAsleepSchema,
  ownerEntrySchema,
  priceEntrySchema,
  sleepEntrySchema,
  tariffEntrySchema,
  timeZoneSchema,
  wakeEntrySchema,
} from './power-schema.js';
import { REQUEST_CLASSES } from './request-class.js';
import { vllmEntrySchema } from './vllm-entry-schema.js';

/**
 * The shape of fabric.yaml, and the source of the JSON Schema that editors use. Messages are expectations, as in
 * "expected …"; they never repeat the value. What reaches across entries is in `decide/check-references.ts`.
 */

const MAX_TIMEOUT_SECONDS = 86_400;
export const MAX_TARGETS = 32;

const timeoutSeconds = z.number().gt(0).max(MAX_TIMEOUT_SECONDS);

const modelIdSchema = z.string().min(1).max(200);

/** What an editor can say of an address without our code: `describeUrlProblem`, as one expression. */
const AUTHORITY = String.raw`[hH][tT][tT][pP][sS]?://(\[[0-9a-fA-F:.]+\]|[^\s/?#@:\[\]\\]+)(:[0-9]{1,5})?`;
const BASE_ADDRESS = `^${AUTHORITY}(/[^?#]*)?$`;
const ENGINE_ADDRESS = `^${AUTHORITY}(/(?!([^?#]*/)?v1/?$)[^?#]*)?$`;

function addressSchema(example: string, mayEndInVersion: boolean) {
  return z
    .string()
    .max(500)
    .superRefine((text, context) => {
      const problem = describeUrlProblem(text, { example, mayEndInVersion });
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    });
}

/** A section that may be left out, and then holds its defaults. */
function withDefaults<Shape extends z.ZodRawShape>(section: z.ZodObject<Shape>) {
  return section.prefault({} as never).describe(section.description ?? '');
}

export const hostEntrySchema = z
  .strictObject({
    mayBeAway: z
      .boolean()
      .default(false)
      .describe('The host is often asleep or off, and that is no problem.'),
    timeZone: timeZoneSchema,
    wake: withDefaults(wakeEntrySchema),
    sleep: withDefaults(sleepEntrySchema),
    owner: withDefaults(ownerEntrySchema),
    energy: withDefaults(energyEntrySchema),
  })
  .describe('A machine with an agent.');

const externalEntrySchema = z
  .strictObject({
    host: nameSchema.describe('The host that it runs on: one of `hosts`.'),
    task: taskSchema.describe('What its model is for.'),
    engine: z.literal('external').describe('Somebody else runs the engine; the agent watches it.'),
    url: addressSchema('http://armitage:8000', false)
      .refine((text) => externalReplicaSchema.shape.url.safeParse(text).success, {
        error: 'an address such as http://armitage:8000',
        abort: true,
      })
      .meta({
        pattern: ENGINE_ADDRESS,
        description:
          'Where the engine answers, without /v1, as both the control plane and the agent reach it.',
      }),
    servedModel: modelIdSchema.describe('What the engine calls the model in its own /v1/models.'),
    maxConcurrent: z
      .int()
      .min(1)
      .max(4096)
      .default(16)
      .describe('Requests that the engine takes at once; above it the router looks elsewhere.'),
    contextTokens: z
      .int()
      .min(1)
      .max(100_000_000)
      .nullable()
      .default(null)
      .describe('Prompt and answer together, in tokens. Left out: as the engine reports.'),
    capabilities: capabilitiesSchema
      .nullable()
      .default(null)
      .describe('All that its model can beside text. Left out: not known, and nothing is ruled out.'),
    listed: z
      .boolean()
      .default(true)
      .describe(
        'Whether clients see it in /v1/models and may ask for it under its own name; its roles and aliases serve it anyway.',
      ),
  })
  .describe('A model on a host, served by an engine that somebody else runs.');

export const deploymentEntrySchema = z
  .discriminatedUnion('engine', [externalEntrySchema, vllmEntrySchema], {
    error: 'expected external or vllm',
  })
  .describe('A model on a host. `engine` says who runs it.');
export type DeploymentEntry = z.infer<typeof deploymentEntrySchema>;

const secretReferenceSchema = z
  .union([
    z.strictObject({
      env: z
        .string()
        .max(100)
        .regex(/^[A-Z_][A-Z0-9_]*$/, 'the name of an environment variable, in upper case')
        .describe('Name of an environment variable of the control plane, in upper case.'),
    }),
    z.strictObject({
      file: z
        .string()
        .max(500)
        .regex(/^(\/|[A-Za-z]:[\\/]|\\\\)/, 'the absolute path of a file')
        .describe('Absolute path of a file that holds nothing but the key, readable by its owner alone.'),
    }),
    z.strictObject({
      credential: z
        .string()
        .max(200)
        .regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/, 'the name of a systemd credential')
        .describe('Name of a credential that systemd hands to the control plane (LoadCredential=).'),
    }),
    z.strictObject({
      azureKeyVault: z
        .strictObject({
          vault: z
            .string()
            .max(300)
            .regex(
              /^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/?$/,
              'an address such as https://my-vault.vault.azure.net',
            )
            .describe('Address of the vault.'),
          secret: z
            .string()
            .regex(/^[A-Za-z0-9-]{1,127}$/, 'the name of a secret: letters, digits and "-"')
            .describe('Name of the secret; its newest version is used.'),
        })
        .describe('A secret of Azure Key Vault.'),
    }),
  ])
  .describe('Where the key is found. The key itself never stands in this file.');

const providerModelEntrySchema = z.strictObject({
  model: modelIdSchema.describe('What the provider calls it.'),
  task: taskSchema.default('chat').describe('What the model is for.'),
  capabilities: capabilitiesSchema
    .nullable()
    .default(null)
    .describe('All that the model can beside text. Left out: not known, and nothing is ruled out.'),
  contextTokens: contextTokensSchema
    .nullable()
    .default(null)
    .describe('Prompt and answer together, in tokens. Left out: long enough for anything.'),
  price: priceEntrySchema,
});

const providerEntrySchema = z
  .strictObject({
    baseUrl: addressSchema('https://api.openai.com/v1', true).meta({
      pattern: BASE_ADDRESS,
      description: 'Up to and with /v1.',
    }),
    apiKey: secretReferenceSchema.nullable().default(null),
    endpoints: z
      .array(z.enum(providerEndpoints))
      .min(1)
      .max(providerEndpoints.length)
      .default(['chat', 'completions', 'embeddings'])
      .describe(
        'What it speaks of `/v1`; other requests go past it. `chat` is /chat/completions, `messages` Anthropic’s /messages and `count_tokens` its /messages/count_tokens, where the key goes into x-api-key.',
      ),
    models: z
      .record(nameSchema, providerModelEntrySchema)
      .describe('Short name → model. `strong` of `openai` is asked for as `openai/strong`.'),
  })
  .describe('A cloud upstream with an OpenAI-compatible API.');

const conditionEntrySchema = z
  .strictObject({
    whenWaitExceeds: z
      .number()
      .min(0)
      .max(3_600)
      .nullable()
      .default(null)
      .describe(
        'Seconds: asked only where the targets before it are predicted to take longer until they begin; then the cheaper serves.',
      ),
    maxContext: contextTokensSchema
      .nullable()
      .default(null)
      .describe('Tokens: only for requests whose prompt and allowed answer have at most so many.'),
    capabilities: capabilitiesSchema
      .min(1)
      .nullable()
      .default(null)
      .describe('Only for requests that need one of these at least.'),
    localOnly: z
      .boolean()
      .default(false)
      .describe('Only for requests that may not leave your hosts, by their key or x-fabric-local-only.'),
  })
  .describe('When it is asked at all. Left out: always.');

const targetEntrySchema = z
  .union([
    z.strictObject({
      deployment: modelNameSchema.describe('One of `deployments`.'),
      when: conditionEntrySchema.optional(),
    }),
    z.strictObject({
      provider: nameSchema.describe('One of `providers`.'),
      model: nameSchema.describe('Short name of one of its models.'),
      when: conditionEntrySchema.optional(),
    }),
  ])
  .describe('What may serve the role.');

const weight = z.number().min(0).max(10);
const weightsEntrySchema = z
  .strictObject({
    firstToken: weight.default(1).describe('Of a second until the first token.'),
    answer: weight.default(0.05).describe('Of a second of the rest of the answer.'),
  })
  .default({ firstToken: 1, answer: 0.05 })
  .describe('How much its clients mind waiting: targets that compete are compared by the sum.');

export const roleEntrySchema = z
  .strictObject({
    task: taskSchema.describe('What the role is for; that of all its targets.'),
    targets: z
      .array(targetEntrySchema)
      .min(1)
      .max(MAX_TARGETS)
      .describe(
        'In order. Deployments next to each other compete by predicted seconds; what stands behind them serves when none of them can, or not as soon as its `when` says.',
      ),
    firstByteTimeoutSeconds: timeoutSeconds
      .default(120)
      .describe('How long an engine may take to its first byte.'),
    dimensions: z
      .int()
      .min(1)
      .max(65_536)
      .nullable()
      .default(null)
      .describe('Length of its vectors, for an embeddings role; `ai-fabric smoke` checks it.'),
    idleTimeoutSeconds: timeoutSeconds.default(120).describe('How long an answer may pause.'),
    totalTimeoutSeconds: timeoutSeconds.default(1800).describe('How long an answer may take in all.'),
    patienceSeconds: z
      .number()
      .min(0)
      .max(3_600)
      .default(50)
      .describe(
        'How long a request is held while no target can serve it but one is expected soon; 0: never. Then the cloud is asked, where the role has it.',
      ),
    onAsleep: onAsleepSchema,
    weights: weightsEntrySchema,
    longestPatienceSeconds: z
      .number()
      .min(0)
      .max(3_600)
      .nullable()
      .default(null)
      .describe(
        'The longest that a request may ask to be held, with `x-fabric-max-wait`. Left out: `patienceSeconds`, or 50 where that is less.',
      ),
    class: z
      .enum(REQUEST_CLASSES)
      .default('normal')
      .describe(
        'How urgent its requests are where they wait: of 13 turns `interactive` has 8, `normal` 4, `batch` 1. A request may say otherwise with `x-fabric-class`.',
      ),
  })
  .describe('A logical name that clients ask for.');

const scheduleSchema = z
  .union([
    z.strictObject({
      everySeconds: z
        .int()
        .min(1)
        .max(31 * 86_400)
        .describe('Seconds from the end of one run to the next.'),
    }),
    z.strictObject({
      cron: z
        .string()
        .max(120)
        .superRefine((pattern, context) => {
          const problem = describeCronProblem(pattern);
          if (problem !== null) context.addIssue({ code: 'custom', message: problem });
        })
        .describe('A cron pattern such as "0 7 * * *", in the time zone of the control plane.'),
    }),
  ])
  .describe('When it runs.');

const checksEntrySchema = z
  .strictObject({
    doctor: scheduleSchema.nullable().default(null).describe('When `ai-fabric doctor` runs by itself.'),
    smoke: scheduleSchema
      .nullable()
      .default(null)
      .describe('When `ai-fabric smoke` runs by itself; never at a provider.'),
    webhook: z
      .strictObject({
        url: z
          .union([addressSchema('https://hooks.example.net/fabric', true), secretReferenceSchema])
          .describe('Where what changed is posted; by reference where the address itself is a secret.'),
        secret: secretReferenceSchema
          .nullable()
          .default(null)
          .describe('Signs each post: `x-fabric-signature: sha256=<HMAC of the body>`.'),
      })
      .nullable()
      .default(null)
      .describe('Who is told when findings come and go.'),
  })
  .describe('Checks that the control plane runs by itself, and whom it tells of changes.');

const gatewayEntrySchema = z.strictObject({
  allowedOrigins: z
    .array(
      z
        .string()
        .max(200)
        .regex(
          /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/,
          'one origin by name, such as app://obsidian.md: a scheme and a host, no path; "*" would let any web page spend your tokens',
        ),
    )
    .max(100)
    .default([])
    .describe('Origins of browser apps that may use /v1, such as app://obsidian.md.'),
  extraHosts: z
    .array(
      z
        .string()
        .max(253)
        .regex(
          /^([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|[0-9a-fA-F.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*)$/,
          'a host name or an address without scheme, port or path, such as ai.example.net',
        ),
    )
    .max(100)
    .default([])
    .describe('Further names under which clients reach the gateway.'),
});

const backupEntrySchema = z
  .strictObject({
    directory: z
      .string()
      .max(500)
      .regex(/^(\/|[A-Za-z]:[\\/]|\\\\)/, 'the absolute path of a directory')
      .describe('Absolute path of a directory on the control plane’s machine; it must be there.'),
    everyHours: z
      .number()
      .min(1)
      .max(8_760)
      .optional()
      .describe('Hours from one to the next; 24 by default.'),
    cron: z
      .string()
      .max(120)
      .superRefine((pattern, context) => {
        const problem = describeCronProblem(pattern);
        if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      })
      .optional()
      .describe('Instead of hours: a cron pattern such as "0 3 * * *", in the control plane’s time zone.'),
    keep: z.int().min(1).max(1_000).default(7).describe('How many stay: the newest.'),
    secrets: z
      .boolean()
      .default(true)
      .describe('With the certificate, its key and the admin token, so that agents know a restored one.'),
  })
  .refine(({ everyHours, cron }) => everyHours === undefined || cron === undefined, {
    error: 'either everyHours or cron, not both',
    path: ['cron'],
  })
  .describe('Backups that the control plane makes by itself.');

/** A section may be left out, or be there with nothing in it. */
export const fabricFileSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of the format of this file.'),
    hosts: z.record(nameSchema, hostEntrySchema.nullable()).nullish().describe('The machines.'),
    deployments: z.record(nameSchema, deploymentEntrySchema).nullish().describe('Which model runs where.'),
    providers: z.record(nameSchema, providerEntrySchema).nullish().describe('Cloud upstreams.'),
    roles: z.record(nameSchema, roleEntrySchema).nullish().describe('What clients ask for.'),
    aliases: z
      .record(modelNameSchema, modelNameSchema)
      .nullish()
      .describe('Another name for a role or a deployment.'),
    gateway: gatewayEntrySchema.nullish().describe('Who may use the gateway besides the networks it trusts.'),
    backup: backupEntrySchema.nullish(),
    checks: checksEntrySchema.nullish(),
    tariff: tariffEntrySchema.nullish(),
  })
  .describe('The declared state of an AI Fabric: hosts, deployments, providers, roles, aliases.');

export type FabricFile = z.infer<typeof fabricFileSchema>;
export type FabricFileInput = z.input<typeof fabricFileSchema>;

export const entrySchemas = {
  hosts: hostEntrySchema,
  deployments: deploymentEntrySchema,
  providers: providerEntrySchema,
  roles: roleEntrySchema,
} as const;
