import { OLDEST_PROTOCOL_VERSION } from '@ai-fabric/shared';
import type { LinkState } from './decide/link-lifecycle.js';
import { FRAME_POLICY } from './decide/link-limits.js';
import { fullBucket, type TokenBucket } from './decide/take-token.js';
import type { SeenSamples } from './intake/seen-samples.js';
import type { TelemetryIntake } from './intake/telemetry-intake.js';
import type { LinkSocket } from './link-socket.js';

/** What the loop keeps of one connection beside its state. Times are monotonic. */
export interface LinkEntry {
  readonly id: number;
  readonly socket: LinkSocket;
  /** Base64. */
  readonly nonce: string;
  state: LinkState;
  /** What the agent speaks; from the welcome on. */
  protocolVersion: number;
  /** It comes with a token and a new key for a host that is linked, and joins when that link is found dead. */
  joinsWhenWon: boolean;
  heardAtMs: number;
  frames: TokenBucket;
  /** From the welcome on. */
  telemetry: { readonly intake: TelemetryIntake; readonly seen: SeenSamples } | null;
  ackedSeq: number;
  ackedAtMs: number;
  /** What was taken when the last heartbeat went out, ack before it. */
  pingedMark: number;
  pingedAtMs: number;
  /** Of the last heartbeat that came back. */
  roundTripMs: number | null;
  seenToldAtMs: number;
  /** How its host yields, as it was told last on this link. */
  yieldTold: string | null;
}

export function newLinkEntry(id: number, socket: LinkSocket, nonce: string, nowMs: number): LinkEntry {
  return {
    id,
    socket,
    nonce,
    state: { name: 'challenged', sinceMs: nowMs },
    protocolVersion: OLDEST_PROTOCOL_VERSION,
    joinsWhenWon: false,
    heardAtMs: nowMs,
    frames: fullBucket(FRAME_POLICY, nowMs),
    telemetry: null,
    ackedSeq: 0,
    ackedAtMs: Number.NEGATIVE_INFINITY,
    pingedMark: 0,
    pingedAtMs: nowMs,
    roundTripMs: null,
    seenToldAtMs: nowMs,
    yieldTold: null,
  };
}

/** What waits for a host's link, then what has it. */
export function claimsOf(entries: Iterable<LinkEntry>, hostName: string): readonly LinkEntry[] {
  const claiming: LinkEntry[] = [];
  let linked: LinkEntry | undefined;
  for (const entry of entries) {
    const { state } = entry;
    if (state.name === 'contending' && state.identity.hostName === hostName) claiming.push(entry);
    if (state.name === 'linked' && state.identity.hostName === hostName) linked = entry;
  }
  return linked === undefined ? claiming : [...claiming, linked];
}
