import { z } from 'zod';
import {
  energyEntrySchema,
  ownerEntrySchema,
  sleepEntrySchema,
  timeZoneSchema,
  wakeEntrySchema,
} from './power-schema.js';

/** A section that may be left out, and then holds its defaults. */
function withDefaults<Shape extends z.ZodRawShape>(section: z.ZodObject<Shape>) {
  return section.prefault({} as never).describe(section.description ?? '');
}

export const hostEntrySchema = z
  .strictObject({
    mayBeAway: z
      .boolean()
      .default(false)
      .describe('The host is often asleep or off, and that is no problem.'),
    timeZone: timeZoneSchema,
    wake: withDefaults(wakeEntrySchema),
    sleep: withDefaults(sleepEntrySchema),
    owner: withDefaults(ownerEntrySchema),
    energy: withDefaults(energyEntrySchema),
  })
  .describe('A machine with an agent.');
