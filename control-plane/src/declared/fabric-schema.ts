import { modelNameSchema, nameSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import { checksEntrySchema } from './checks-entry-schema.js';
import { deploymentEntrySchema } from './deployment-entry-schema.js';
import { describeCronProblem } from './describe-cron-problem.js';
import { hostEntrySchema } from './host-entry-schema.js';
import { tariffEntrySchema } from './power-schema.js';
import { providerEntrySchema } from './provider-entry-schema.js';
import { roleEntrySchema } from './role-entry-schema.js';

/**
 * The shape of fabric.yaml, and the source of the JSON Schema that editors use. Messages are expectations, as in
 * "expected …"; they never repeat the value. What reaches across entries is in `decide/check-references.ts`.
 */

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
