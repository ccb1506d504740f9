import { nameSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import { WEEKDAYS } from './declared-state.js';

/** What fabric.yaml says of a host's power: how it is woken, when it sleeps, how it yields, what it draws. */

const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;

const timeOfDay = z.string().regex(TIME_OF_DAY, 'a time of day such as "22:30"');

const hoursEntrySchema = z
  .strictObject({
    from: timeOfDay.describe('Begins; a time of day such as "22:30".'),
    to: timeOfDay.describe('Ends; where that is not later than `from`, on the next day.'),
    days: z
      .array(z.enum(WEEKDAYS))
      .min(1)
      .max(7)
      .default([...WEEKDAYS])
      .describe('Days on which it begins.'),
  })
  .describe('Hours of the day, in the time zone of the host’s `timeZone`.');

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export const timeZoneSchema = z
  .string()
  .max(64)
  .refine(isTimeZone, { error: 'the name of a time zone such as Europe/Berlin' })
  .nullable()
  .default(null)
  .describe('Time zone of its hours, such as Europe/Berlin. Left out: that of the control plane.');

export const wakeEntrySchema = z
  .strictObject({
    waker: nameSchema
      .nullable()
      .default(null)
      .describe(
        'A waker of the control plane’s own file, by its name: a command or a smart plug. Left out: magic packets.',
      ),
    quietHours: z
      .array(hoursEntrySchema)
      .max(16)
      .default([])
      .describe('Hours in which no request wakes it. An operator may.'),
    cooldownMinutes: z
      .number()
      .min(0)
      .max(1_440)
      .default(10)
      .describe('After a wake that failed, none is tried for so long.'),
    minimumUpMinutes: z
      .number()
      .min(0)
      .max(1_440)
      .default(15)
      .describe('After a wake it stays up for so long at least.'),
    timeoutSeconds: z
      .number()
      .min(5)
      .max(3_600)
      .default(300)
      .describe('A wake that has not led to a ready model by then has failed.'),
  })
  .describe('How the host is woken.');

export const sleepEntrySchema = z
  .strictObject({
    afterIdleMinutes: z
      .number()
      .min(0.1)
      .max(10_080)
      .nullable()
      .default(null)
      .describe('Put to sleep after so long without a request. Left out: never by itself.'),
    action: z
      .enum(['suspend', 'poweroff', 'container-only', 'none'])
      .default('suspend')
      .describe('What sleeping is: `container-only` frees the card and leaves the machine on.'),
    awakeHours: z.array(hoursEntrySchema).max(16).default([]).describe('Hours in which it is left awake.'),
    drainSeconds: z
      .number()
      .min(0)
      .max(600)
      .default(60)
      .describe('Requests that run may finish for so long.'),
  })
  .describe('When the host goes to sleep by itself.');

export const ownerEntrySchema = z
  .strictObject({
    automatic: z
      .boolean()
      .default(true)
      .describe('Whether what others run on its card takes the card from the fabric.'),
    drainSeconds: z
      .number()
      .min(0)
      .max(600)
      .default(10)
      .describe('Requests that run may finish for so long before the card is freed.'),
    action: z
      .enum(['park', 'stop'])
      .default('stop')
      .describe('How the card is freed: `park` keeps the container, and needs `parkable`.'),
    quietMinutes: z
      .number()
      .min(0.1)
      .max(1_440)
      .default(5)
      .describe('Back after so long without use by others.'),
    vramGigabytes: z
      .number()
      .min(0)
      .max(1_000)
      .default(1.5)
      .describe('Of others, above what the desktop usually takes, in 10^9 bytes, that count as use.'),
    utilisationRatio: z
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe('Use of the card by others that counts, while the fabric uses it not.'),
  })
  .describe('How the host’s owner gets the card.');

export const energyEntrySchema = z
  .strictObject({
    baseWatts: z
      .number()
      .min(0)
      .max(100_000)
      .nullable()
      .default(null)
      .describe('What the machine draws when it is on, less its cards. Left out: not known.'),
    asleepWatts: z
      .number()
      .min(0)
      .max(100_000)
      .nullable()
      .default(null)
      .describe('What it draws asleep or off. Left out: not known.'),
  })
  .describe('What the host draws, for the accounting.');

export const tariffEntrySchema = z
  .strictObject({
    pricePerKilowattHour: z.number().min(0).max(1_000).describe('What a kilowatt-hour costs.'),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'a currency code such as EUR')
      .describe('Currency of this and of all prices in this file, such as EUR.'),
  })
  .describe('What power costs. Left out: nothing is reckoned in money.');

export const priceEntrySchema = z
  .strictObject({
    inputPerMillionTokens: z.number().min(0).max(1_000_000).describe('For a million tokens of prompts.'),
    outputPerMillionTokens: z.number().min(0).max(1_000_000).describe('For a million tokens of answers.'),
  })
  .nullable()
  .default(null)
  .describe('What the provider takes, in the currency of `tariff`. Left out: not known.');

export const onAsleepSchema = z
  .enum(['hold', 'cloud', 'cloudThenLocal', 'refuse'])
  .default('hold')
  .describe(
    'What a request gets while only a sleeping host could serve it: `hold` wakes and waits, `cloudThenLocal` asks the cloud and wakes for the next, `cloud` asks the cloud and wakes nobody, `refuse` refuses and wakes nobody.',
  );
