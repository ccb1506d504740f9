import type { AgentFrame, FrameBody, FrameRefusal, GoodbyeReason } from '@ai-fabric/shared';

export type Hello = FrameBody<AgentFrame, 'hello'>;
export type Outcome = FrameBody<AgentFrame, 'outcome'>;
export type ReportFrame = Extract<AgentFrame, { type: 'report' }>;

/** Who a hello turned out to be. */
export interface Identity {
  readonly hostId: string;
  readonly hostName: string;
  readonly draining: boolean;
}

/** What stands in a proven newcomer's way: nothing, a link to replace, or one that must be asked first. */
export type Contention = 'free' | 'take_over' | 'contested';

/** The life of one connection. Times are monotonic. */
export type LinkState =
  | { readonly name: 'challenged'; readonly sinceMs: number }
  /** The hello's proof is checked and the registry asked. */
  | { readonly name: 'identifying'; readonly hello: Hello }
  /** Proven, while another link of the same host is asked whether it is alive. */
  | { readonly name: 'contending'; readonly hello: Hello; readonly identity: Identity }
  | {
      readonly name: 'linked';
      readonly identity: Identity;
      readonly instanceId: string;
      readonly sinceMs: number;
      /** The newest report's; 0 before the first. */
      readonly seq: number;
    }
  /** Told to go, or gone by itself; nothing it says counts any more. */
  | { readonly name: 'closing'; readonly reason: GoodbyeReason }
  | { readonly name: 'closed' };

export type LinkEvent =
  | { readonly type: 'frame'; readonly frame: AgentFrame }
  | { readonly type: 'bad_frame'; readonly refusal: FrameRefusal }
  | { readonly type: 'identified'; readonly identity: Identity; readonly contention: Contention }
  | { readonly type: 'refused'; readonly reason: GoodbyeReason; readonly detail: string }
  /** The link that stood in the way is gone. */
  | { readonly type: 'won' }
  /** Time passes. `silentForMs`: since the last frame, ping or pong. */
  | { readonly type: 'tick'; readonly silentForMs: number }
  /** Told to go by the control plane. */
  | { readonly type: 'evict'; readonly reason: GoodbyeReason; readonly detail: string }
  | { readonly type: 'socket_closed' };

export type LinkEffect =
  | { readonly type: 'identify'; readonly hello: Hello }
  /** Waits until the other link of this host has shown whether it is alive. */
  | { readonly type: 'contend'; readonly hello: Hello; readonly identity: Identity }
  | { readonly type: 'admit'; readonly hello: Hello; readonly identity: Identity }
  | { readonly type: 'take_report'; readonly frame: ReportFrame }
  | { readonly type: 'take_outcome'; readonly outcome: Outcome }
  /** Counts against the peer's address. */
  | { readonly type: 'note_failure'; readonly reason: GoodbyeReason; readonly detail: string }
  /** The host is without this link from now on. */
  | {
      readonly type: 'release';
      readonly hostName: string;
      /** It is away, whatever its silence says. */
      readonly final: boolean;
      /** What the agent said. */
      readonly goodbyeReason: GoodbyeReason | null;
      /** Why we ended it; `null` when the agent did, or the network. */
      readonly endedFor: GoodbyeReason | null;
      readonly detail: string;
    }
  | { readonly type: 'say_goodbye'; readonly reason: GoodbyeReason; readonly detail: string }
  /** The other side said goodbye: nothing is left to say. */
  | { readonly type: 'close' };

interface LinkRefusal {
  readonly code: 'unexpected_event';
  readonly state: LinkState['name'];
  readonly event: LinkEvent['type'];
}

export type LinkDecision =
  | { readonly ok: true; readonly state: LinkState; readonly effects: readonly LinkEffect[] }
  | { readonly ok: false; readonly refusal: LinkRefusal };
