import { z } from 'zod';
import { addressSchema } from './address-schema.js';
import { describeCronProblem } from './describe-cron-problem.js';
import { secretReferenceSchema } from './secret-reference-schema.js';

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

export const checksEntrySchema = z
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
