import { powerVerbSchema } from '@ai-fabric/shared';
import { z } from 'zod';

/**
 * What an installed agent has done by root, and nothing else: each is an instance of the unit
 * `ai-fabric-agent-helper@.service`, which takes no argument beside.
 */
export const helperVerbSchema = z.enum([
  ...powerVerbSchema.options,
  'read-wake-arming',
  'reload-uvm',
  'upgrade',
]);
export type HelperVerb = z.infer<typeof helperVerbSchema>;

/** What came of it: a file that root writes and the agent reads. */
export const helperAnswerSchema = z.object({
  verb: helperVerbSchema,
  ok: z.boolean(),
  /** Why not. */
  code: z.string().max(60).nullable(),
  detail: z.string().max(2_000).nullable(),
  /** Of `read-wake-arming`: what `ethtool` says of each card, by the name of its interface. */
  ethtool: z.record(z.string().max(80), z.string().max(16_384)).optional(),
});
export type HelperAnswer = z.infer<typeof helperAnswerSchema>;

/** The folder of the answers: root's own, which others may read. */
export const HELPER_ANSWERS = '/run/ai-fabric-agent';

export function helperUnit(verb: HelperVerb): string {
  return `ai-fabric-agent-helper@${verb}.service`;
}
