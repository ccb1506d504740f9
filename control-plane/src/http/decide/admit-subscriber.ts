import type { PageOrigin } from '../../gateway/admission/decide/check-origin.js';

/** What is known of who asks for the feed. */
export interface SubscriberFacts {
  readonly isOwnHost: boolean;
  /** Holds only where the host is ours. */
  readonly pageOrigin: PageOrigin;
  readonly hasAdminToken: boolean;
  /** Uses the ticket up. `null`: none was brought. */
  readonly takeTicket: (() => boolean) | null;
}

export type SubscriberVerdict =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly detail: string; readonly fix: string };

/**
 * A program brings the admin token. A page cannot (nobody puts a token into a URL) and brings a ticket; it must be
 * ours or of an origin that the operator allows, and have asked for us by a name of ours: another name that leads
 * here makes any page look like our own.
 */
export function admitSubscriber(facts: SubscriberFacts): SubscriberVerdict {
  const { isOwnHost, pageOrigin, hasAdminToken, takeTicket } = facts;
  const isPage = pageOrigin !== 'none';
  if (isPage && (!isOwnHost || pageOrigin === 'foreign')) {
    const fix = 'an operator allows an origin with gateway.allowedOrigins in fabric.yaml';
    return { kind: 'refused', status: 403, detail: 'the feed is not open to pages of this origin', fix };
  }
  if (!isPage && hasAdminToken) return { kind: 'admitted' };
  if (takeTicket?.()) return { kind: 'admitted' };
  const ticket = 'POST /api/v1/feed-tickets gives a ticket for one subscription within 30 s: ?ticket=…';
  const detail =
    takeTicket === null
      ? `${isPage ? 'a ticket' : 'the admin token'} is missing or wrong`
      : 'the ticket was used, is older than 30 s or is of another origin';
  return { kind: 'refused', status: 401, detail, fix: ticket };
}
