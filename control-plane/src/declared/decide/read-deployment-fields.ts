import type { Task } from '@ai-fabric/shared';
import { nameSchema, taskSchema } from '@ai-fabric/shared';

/** What a deployment says of itself, field by field: each counts even where another of its fields is wrong. */
export interface DeploymentFields {
  /** `null`: not said, or no name. */
  readonly host: string | null;
  /** What it does and with which model; `null` where either is not said, or not in this form. */
  readonly serves: { readonly task: Task; readonly servedModel: string } | null;
}

export function readDeploymentFields(entry: unknown): DeploymentFields {
  if (typeof entry !== 'object' || entry === null) return { host: null, serves: null };
  const fields: { host?: unknown; engine?: unknown; task?: unknown; servedModel?: unknown } = entry;
  const host = nameSchema.safeParse(fields.host).data ?? null;
  const task = taskSchema.safeParse(fields.task).data;
  const { engine, servedModel } = fields;
  const isTold = engine === 'external' && task !== undefined && typeof servedModel === 'string';
  return { host, serves: isTold ? { task, servedModel } : null };
}
