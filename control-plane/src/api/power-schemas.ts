import { z } from '@hono/zod-openapi';
import { wakeSchema } from './wake-schemas.js';

const money = z.number().nullable();

export const powerReportSchema = z
  .object({
    fromMs: z.number(),
    toMs: z.number(),
    /** Of all prices; `null`: no tariff is declared, and nothing is reckoned in money. */
    currency: z.string().nullable(),
    hosts: z.array(
      z.object({
        host: z.string(),
        awakeSeconds: z.number(),
        asleepSeconds: z.number(),
        /** As its cards told. */
        cardKilowattHours: z.number(),
        /** With the machine itself; `null`: what that draws is not declared. */
        kilowattHours: z.number().nullable(),
        cost: money,
      }),
    ),
    /** Newest first. */
    wakes: z.array(
      z.object({
        wake: wakeSchema,
        /** `null`: it is awake still, or that is not known. */
        awakeUntilMs: z.number().nullable(),
        awakeSeconds: z.number(),
        /** Of that stretch, at what its cards drew on average; `null`: not known. */
        kilowattHours: z.number().nullable(),
        cost: money,
        /** Answered by the host meanwhile; `null`: too many to count here. */
        requests: z.object({ count: z.int(), promptTokens: z.int(), completionTokens: z.int() }).nullable(),
        /** What these tokens take at the provider that its role names first; `null`: no role, no provider or no price. */
        cloudCost: money,
        cloudTarget: z.string().nullable(),
      }),
    ),
    /** From one power state to the next, newest first. */
    events: z.array(
      z.object({
        host: z.string(),
        atMs: z.number(),
        state: z.string(),
        /** What brought it there: `idle`, `operator`, `request`, or what its agent said when it went. */
        cause: z.string().nullable(),
        detail: z.string().nullable(),
      }),
    ),
  })
  .openapi('PowerReport');
export type PowerReport = z.infer<typeof powerReportSchema>;
