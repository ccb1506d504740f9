import { z } from '@hono/zod-openapi';

/** What a host's agent said to the offer of a newer one. */
export const upgradeOfferSchema = z
  .object({
    host: z.string(),
    /** The version of its agent now. */
    from: z.string().nullable(),
    /** The version that was offered. */
    version: z.string(),
    /** `done`: it is offered to the host's owner, or begun; the host tells how it goes on. */
    answer: z.enum(['done', 'refused', 'failed']),
    /** Why not. */
    code: z.string().nullable(),
    detail: z.string().nullable(),
  })
  .openapi('UpgradeOffer');
