import { z } from 'zod';

export const logLineSchema = z.object({
  atMs: z.number().nullable(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
});
export type LogLine = z.infer<typeof logLineSchema>;

/** What a terminal would take for a command: the log of a container is somebody else's text. */
const CONTROL = /\p{Cc}|\u2028|\u2029/gu;
const ESCAPE_SEQUENCE = /\p{Cc}\[[0-9;?]*[ -/]*[@-~]/gu;

/** One line of what the control plane sends. @returns `null` for what is none */
export function readLogLine(text: string): LogLine | null {
  try {
    return logLineSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** As "2026-11-24T22:15:00.123Z text": safe to print. */
export function formatLogLine({ atMs, text }: LogLine): string {
  const plain = text.replace(ESCAPE_SEQUENCE, '').replaceAll('\t', '    ').replace(CONTROL, '');
  return atMs === null ? plain : `${new Date(atMs).toISOString()} ${plain}`;
}
