import type { GoodbyeReason } from '@ai-fabric/shared';

/** Why there is no link. `detail` is one line for an operator, with the fix where there is one. */
export type LinkFailure =
  /** No TCP connection: name unknown, refused, no route, no answer in time. */
  | { readonly code: 'unreachable'; readonly detail: string }
  /** Another certificate than the one that was pinned. Nothing was sent. */
  | { readonly code: 'pin_mismatch'; readonly detail: string }
  /** Something answers there, but it is no control plane that we can talk to. */
  | { readonly code: 'not_a_control_plane'; readonly detail: string }
  /** It speaks no protocol that this agent still knows. The other way round it says so, by a goodbye. */
  | { readonly code: 'control_plane_too_old'; readonly detail: string }
  /** The control plane said goodbye. */
  | { readonly code: 'goodbye'; readonly reason: GoodbyeReason; readonly detail: string }
  /** What came was against the protocol. */
  | { readonly code: 'protocol_error'; readonly detail: string }
  /** It did not speak in time. */
  | { readonly code: 'silent'; readonly detail: string }
  /** The connection ended without a word. */
  | { readonly code: 'lost'; readonly detail: string };

/** A `LinkFailure` on its way through a promise. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly failure: LinkFailure;

  constructor(failure: LinkFailure, options?: ErrorOptions) {
    super(failure.detail, options);
    this.failure = failure;
  }
}
