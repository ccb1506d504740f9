import { z } from '@hono/zod-openapi';

const declaredKindSchema = z.enum([
  'host',
  'deployment',
  'provider',
  'role',
  'alias',
  'gateway',
  'backup',
  'checks',
  'tariff',
]);

const namedSchema = z.object({ kind: declaredKindSchema, name: z.string() });

const fieldChangeSchema = z
  .object({
    path: z.string().openapi({
      description: 'Within the thing, as `models.cheap.model`; empty where the thing is one value',
    }),
    before: z.unknown().openapi({ description: '`null`: nothing stands there' }),
    after: z.unknown().openapi({ description: '`null`: nothing will stand there' }),
  })
  .openapi('FieldChange');

export const applyPlanSchema = z
  .object({
    revision: z.int().openapi({ description: 'The revision that the plan was made on' }),
    changes: z
      .array(
        namedSchema.extend({
          change: z.enum(['added', 'changed', 'removed']),
          fields: z.array(fieldChangeSchema).readonly(),
        }),
      )
      .readonly(),
    notInFile: z
      .array(namedSchema)
      .readonly()
      .openapi({ description: 'Declared, absent from the file, and left alone unless pruned' }),
    warnings: z
      .array(
        namedSchema.extend({
          code: z.enum(['host_renamed', 'host_enrolled', 'policy_would_refuse']),
          message: z.string(),
        }),
      )
      .readonly(),
  })
  .openapi('ApplyPlan');

const documentSchema = z.record(z.string(), z.unknown()).openapi({
  description: 'A fabric.yaml as JSON: see docs/schema/fabric.schema.json',
  example: { version: 1, hosts: { motoko: {} } },
});

const pruneSchema = z
  .boolean()
  .default(false)
  .openapi({ description: 'Remove what is declared and not in the document' });

export const planRequestSchema = z
  .strictObject({ document: documentSchema, prune: pruneSchema })
  .openapi('PlanRequest');

export const driftRequestSchema = z.strictObject({ document: documentSchema }).openapi('DriftRequest');

export const applyRequestSchema = z
  .strictObject({
    document: documentSchema,
    prune: pruneSchema,
    expectedRevision: z
      .int()
      .min(0)
      .openapi({ description: 'The revision of the plan: another one now is a conflict' }),
  })
  .openapi('ApplyRequest');

export const appliedSchema = z
  .object({
    changed: z.boolean(),
    revision: z.int().openapi({ description: 'Of the declared state now' }),
    plan: applyPlanSchema,
  })
  .openapi('Applied');

export const declaredSchema = z
  .object({
    revision: z.int(),
    document: documentSchema,
  })
  .openapi('DeclaredState');

const mistakeSchema = z.object({
  file: z.string(),
  line: z.int(),
  column: z.int(),
  path: z.string(),
  message: z.string(),
});

export const driftSchema = z
  .object({
    file: z
      .object({
        name: z.string().nullable().openapi({ description: '`null`: a document that was sent' }),
        plan: applyPlanSchema
          .nullable()
          .openapi({ description: 'What would bring the registry to the file; `null`: it is not valid' }),
        mistakes: z.array(mistakeSchema).readonly(),
      })
      .nullable()
      .openapi({ description: '`null`: none was named with `up --config`, nor sent' }),
    hosts: z
      .array(
        z.object({
          code: z.enum([
            'host_never_joined',
            'host_not_declared',
            'replica_not_declared',
            'replica_not_reported',
            'replica_not_ready',
            'context_smaller',
          ]),
          host: z.string(),
          deployment: z.string().nullable(),
          declared: z.string().nullable(),
          observed: z.string().nullable(),
          message: z.string(),
        }),
      )
      .openapi({
        description:
          'Hosts against the registry; a host that is away is judged by what it is, not by its replicas',
      }),
  })
  .openapi('Drift');
