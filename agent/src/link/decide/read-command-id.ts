import { z } from 'zod';

const commandShape = z.object({
  type: z.literal('command'),
  body: z.object({ commandId: z.string().min(1).max(64) }),
});

/** The id of a command that could not be decoded, so that it can be refused by name; `null` where there is none. */
export function readCommandId(text: string): string | null {
  try {
    return commandShape.safeParse(JSON.parse(text)).data?.body.commandId ?? null;
  } catch {
    return null;
  }
}
