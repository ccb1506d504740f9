import { z } from 'zod';

/**
 * Named problems of a host. Each has an event that clears it: see docs/runbooks for those an operator must act on.
 */
export const issueCodes = [
  'no_gpu',
  'driver_not_loaded',
  'driver_mismatch',
  'driver_hung',
  'gpu_lost',
  'gpu_lost_after_resume',
  'gpu_tool_failed',
  'engine_unreachable',
  'engine_model_missing',
  'engine_proof_failed',
  'sign_in_needed',
  'engine_too_old',
  'image_not_found',
  'pull_failed',
  'disk_full',
  'gpu_not_in_container',
  'cdi_spec_missing',
  'cdi_spec_stale',
  'vram_insufficient',
  'port_in_use',
  'model_not_found',
  'hf_token_needed',
  'hub_unreachable',
  'driver_too_old',
  'load_timeout',
  'engine_crashed',
  'crash_looping',
  'name_taken',
  'container_not_found',
  'policy_refused',
  'clock_skew',
  'telemetry_dropped',
  'identity_in_use',
  'upgrade_failed',
] as const;
export const issueCodeSchema = z.enum(issueCodes);
export type IssueCode = z.infer<typeof issueCodeSchema>;

export const issueSchema = z.object({
  code: issueCodeSchema,
  /** What it is about: a card's UUID, a deployment's name, or "host". */
  subject: z.string().min(1).max(120),
  severity: z.enum(['info', 'warning', 'error']),
  /** What is wrong, in words for the operator. */
  detail: z.string().max(500),
  /** What mends it, where known. */
  fix: z.string().max(500).nullable(),
});
export type Issue = z.infer<typeof issueSchema>;
