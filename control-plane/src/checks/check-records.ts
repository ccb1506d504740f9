import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { taskSchema } from '@ai-fabric/shared';
import { z } from 'zod';

const findingSchema = z.object({
  code: z.string(),
  severity: z.enum(['ok', 'info', 'warning', 'error']),
  where: z.object({
    kind: z.enum(['control plane', 'provider', 'host', 'deployment', 'role', 'alias']),
    name: z.string(),
  }),
  what: z.string(),
  fix: z.string().nullable(),
  latencyMs: z.number().nullable(),
});

const smokeResultSchema = z.object({
  kind: z.enum(['role', 'alias']),
  name: z.string(),
  task: taskSchema,
  stream: z.boolean(),
  outcome: z.enum(['ok', 'away', 'skipped', 'broken']),
  code: z.string(),
  what: z.string(),
  fix: z.string().nullable(),
  host: z.string(),
  replica: z.string(),
  latencyMs: z.number(),
  dimensions: z.number().nullable(),
});

const runShape = {
  atMs: z.number(),
  tookMs: z.number(),
  /** Who wanted it. */
  startedBy: z.enum(['operator', 'schedule']),
};

export const doctorRunSchema = z.object({
  ...runShape,
  worst: z.enum(['ok', 'info', 'warning', 'error']),
  findings: z.array(findingSchema),
});
export const smokeRunSchema = z.object({ ...runShape, results: z.array(smokeResultSchema) });

const recordsSchema = z.object({
  doctor: doctorRunSchema.nullable(),
  smoke: smokeRunSchema.nullable(),
  /** Problems that the webhook was told of, and not yet that they are gone. */
  told: z.object({ doctor: z.array(findingSchema), smoke: z.array(findingSchema) }),
});

export type DoctorRun = z.infer<typeof doctorRunSchema>;
export type SmokeRun = z.infer<typeof smokeRunSchema>;
export type CheckRecords = z.infer<typeof recordsSchema>;

const NONE: CheckRecords = { doctor: null, smoke: null, told: { doctor: [], smoke: [] } };

/** What was kept; nothing, where there is nothing or it cannot be read: the next run makes it anew. */
export function readCheckRecords(file: string): CheckRecords {
  try {
    return recordsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return NONE;
  }
}

/** All of it or nothing. @throws Error of the file system */
export function writeCheckRecords(file: string, records: CheckRecords): void {
  const draft = `${file}.new`;
  writeFileSync(draft, `${JSON.stringify(records)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
