import type { TunnelRefusal } from '@ai-fabric/shared';
import type { LinkFailure } from '../link/link-failure.js';

/** Why there is no tunnel. `detail` is one line for an operator. */
export type TunnelFailure =
  | Exclude<LinkFailure, { code: 'goodbye' }>
  | { readonly code: 'refused'; readonly reason: TunnelRefusal; readonly detail: string };

/** A `TunnelFailure` on its way through a promise. */
export class TunnelError extends Error {
  override readonly name = 'TunnelError';
  readonly failure: TunnelFailure;

  constructor(failure: TunnelFailure) {
    super(failure.detail);
    this.failure = failure;
  }
}
