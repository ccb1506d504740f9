import { modelNameSchema, nameSchema } from '@ai-fabric/shared';
import { z } from '@hono/zod-openapi';
import { REQUEST_CLASSES } from '../declared/request-class.js';

const MAX_PER_MINUTE = 1_000_000_000;
const MAX_CONCURRENT = 100_000;
const MAX_ROLES = 200;

const limitSchema = (most: number) =>
  z.int().min(0).max(most).nullable().openapi({ description: 'null: no limit; 0: nothing is allowed' });

const keyLimitsSchema = z
  .strictObject({
    requestsPerMinute: limitSchema(MAX_PER_MINUTE),
    tokensPerMinute: limitSchema(MAX_PER_MINUTE),
    concurrentRequests: limitSchema(MAX_CONCURRENT),
  })
  .openapi('KeyLimits');

const MAX_BODY_DAYS = 90;

const keepBodiesSchema = z.int().min(1).max(MAX_BODY_DAYS).nullable().openapi({
  description: 'How many days what its requests and their answers said is kept; null: not at all',
});

const classSchema = z.enum(REQUEST_CLASSES).nullable();
const defaultClassSchema = classSchema.openapi({
  description: 'How urgent its requests are where they do not say; null: as their role declares',
});
const mostUrgentClassSchema = classSchema.openapi({
  description: 'The most urgent that they are, whatever they or their role say; null: as they ask',
});

const rolesSchema = z
  .array(modelNameSchema)
  .max(MAX_ROLES)
  .nullable()
  .openapi({ description: "Roles, aliases, deployments and providers' models; null: all" });

export const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    state: z.enum(['active', 'expired', 'revoked']),
    roles: z.array(z.string()).nullable(),
    mayWake: z.boolean(),
    mayCloud: z.boolean(),
    limits: keyLimitsSchema,
    keepBodiesDays: z.int().nullable(),
    defaultClass: classSchema,
    mostUrgentClass: classSchema,
    /** The secret's first characters; null: it has none. */
    hint: z.string().nullable(),
    createdAtMs: z.number(),
    expiresAtMs: z.number().nullable(),
    rotatedAtMs: z.number().nullable(),
    /** Until when the secret before this one is good; null: there is none that is. */
    previousValidUntilMs: z.number().nullable(),
    revokedAtMs: z.number().nullable(),
  })
  .openapi('Key');

export const newKeySchema = z
  .object({
    /** The only time that it is shown. */
    secret: z.string(),
    key: keySchema,
  })
  .openapi('NewKey');

/** `.partial()` of the limits: what is left out stays, or is none for a new key. */
const policyFields = {
  roles: rolesSchema.optional(),
  mayWake: z.boolean().optional(),
  mayCloud: z.boolean().optional(),
  expiresAtMs: z.int().min(0).nullable().optional(),
  keepBodiesDays: keepBodiesSchema.optional(),
  defaultClass: defaultClassSchema.optional(),
  mostUrgentClass: mostUrgentClassSchema.optional(),
  limits: keyLimitsSchema.partial().openapi('KeyLimitsChange').optional(),
};

export const createKeySchema = z.strictObject({ name: nameSchema, ...policyFields });
export const changeKeySchema = z.strictObject(policyFields);

const MAX_GRACE_SECONDS = 30 * 24 * 3600;
const DEFAULT_GRACE_SECONDS = 24 * 3600;

export const rotateKeySchema = z.strictObject({
  graceSeconds: z
    .int()
    .min(0)
    .max(MAX_GRACE_SECONDS)
    .default(DEFAULT_GRACE_SECONDS)
    .openapi({ description: 'How long the secret that is in use now stays good' }),
});
