import {
  type Command,
  closeCodes,
  decodeAgentFrame,
  type FrameRefusal,
  type GoodbyeReason,
  HEARTBEAT_INTERVAL_MS,
  PROTOCOL_VERSION,
} from '@ai-fabric/shared';
import { AckDesk } from './ack-desk.js';
import { AddressBook } from './address-book.js';
import { advanceLink } from './decide/advance-link.js';
import type { Hello, Identity, LinkEffect, LinkEvent } from './decide/link-lifecycle.js';
import { FRAME_POLICY, frameCost, MAX_BUFFERED_BYTES, MAX_UNPROVEN_LINKS } from './decide/link-limits.js';
import { takeToken } from './decide/take-token.js';
import { DesiredDesk } from './desired-desk.js';
import { FrameWriter } from './frame-writer.js';
import { type CommandEnd, HostCommands } from './host-commands.js';
import { HostJournal } from './host-journal.js';
import { IdentityConflicts } from './identity-conflicts.js';
import { IdentityDesk } from './identity-desk.js';
import { LinkBook } from './link-book.js';
import { claimsOf, type LinkEntry, newLinkEntry } from './link-entry.js';
import { LinkLog } from './link-log.js';
import type { LinkParts } from './link-parts.js';
import type { LinkSocket, LinkSocketListener } from './link-socket.js';
import { type ReportCounters, ReportDesk } from './report-desk.js';
import { RivalDesk } from './rival-desk.js';
import { StallFreeClock } from './stall-free-clock.js';

/** One timer serves all links; each is pinged in its own slot, so that a thousand pings are spread over 5 s. */
export const TICK_MS = 250;
const SLOTS = HEARTBEAT_INTERVAL_MS / TICK_MS;
const TICKS_PER_SECOND = 1_000 / TICK_MS;
const NONCE_BYTES = 32;
/** What is told anew on each link, as it is then: what was told before is of no interest. */
const STANDING: ReadonlySet<Command['name']> = new Set(['apply_desired', 'apply_yield_settings']);

/**
 * The one owner of every link's state. Sockets, the timer and the declared state send it events; `advanceLink` says
 * what follows, and this does it.
 */
export class LinkLoop {
  readonly conflicts: IdentityConflicts;
  readonly #parts: LinkParts;
  readonly #clock: StallFreeClock;
  readonly #addresses = new AddressBook();
  readonly #log: LinkLog;
  readonly #frames: FrameWriter;
  readonly #journal: HostJournal;
  readonly #reports: ReportDesk;
  readonly #commands: HostCommands;
  readonly #rivals: RivalDesk;
  readonly #acks: AckDesk;
  readonly #links = new LinkBook();
  readonly #identities: IdentityDesk;
  readonly #desired: DesiredDesk;
  #lastId = 0;
  #ticks = 0;

  constructor(given: LinkParts) {
    const clock = new StallFreeClock(given.clock, TICK_MS);
    const parts = { ...given, clock };
    const { live } = parts;
    this.#clock = clock;
    this.#parts = parts;
    this.#log = new LinkLog(parts.log, this.#addresses, clock);
    this.#frames = new FrameWriter(clock);
    this.#journal = new HostJournal(parts.observations, clock);
    this.conflicts = new IdentityConflicts(live, clock);
    this.#commands = new HostCommands(parts.log, Buffer.from(parts.randomBytes(6)).toString('hex'));
    this.#reports = new ReportDesk({ live, clock, journal: this.#journal, log: this.#log });
    this.#acks = new AckDesk(clock, (entry, seq) => this.#send(entry, this.#frames.write('ack', { seq })));
    this.#rivals = new RivalDesk(clock, {
      ask: (hostName) => this.#links.of(hostName)?.socket.ping(''),
      tell: (linkId, event) => this.#tell(linkId, event),
      refuse: (hostName, linkId) => this.#refuseRival(hostName, linkId),
    });
    this.#identities = new IdentityDesk({
      ...{ parts, links: this.#links, conflicts: this.conflicts, log: this.#log },
      dispatch: (entry, event) => this.#dispatch(entry, event),
      endHost: (hostName, reason, detail) => this.endHost(hostName, reason, detail),
    });
    this.#desired = new DesiredDesk({
      ...{ declared: parts.declared, links: this.#links, log: this.#log },
      issue: (entry, hostName, command, ttlMs) => this.#issue(entry, hostName, command, ttlMs),
    });
  }

  get linkedCount(): number {
    return this.#links.linkedCount;
  }

  hasLink(hostName: string): boolean {
    return this.#links.of(hostName) !== undefined;
  }

  /** The agent process that has the host's link; `null`: none has. */
  linkedInstanceId(hostName: string): string | null {
    const state = this.#links.of(hostName)?.state;
    return state?.name === 'linked' ? state.instanceId : null;
  }

  /** What a linked host's agent speaks; `null`: it has no link. */
  protocolVersion(hostName: string): number | null {
    return this.#links.of(hostName)?.protocolVersion ?? null;
  }

  /** Of a linked host's last heartbeat; `null`: none came back yet. */
  roundTripMs(hostName: string): number | null {
    return this.#links.of(hostName)?.roundTripMs ?? null;
  }

  /** Connections, whatever their state. */
  get openCount(): number {
    return this.#links.openCount;
  }

  get counters(): Readonly<ReportCounters> {
    return this.#reports.counters;
  }

  /** Too many connections have not said who they are. */
  get isFull(): boolean {
    return this.#links.openCount - this.#links.linkedCount >= MAX_UNPROVEN_LINKS;
  }

  /** A connection was made. */
  open(socket: LinkSocket): LinkSocketListener {
    const nowMs = this.#nowMs();
    this.#lastId += 1;
    const nonce = Buffer.from(this.#parts.randomBytes(NONCE_BYTES)).toString('base64');
    const entry = newLinkEntry(this.#lastId, socket, nonce, nowMs);
    this.#links.opened(entry);
    if (this.#addresses.isLimited(socket.peerAddress, nowMs)) {
      const detail = 'Too many hellos from this address were refused. Wait a minute.';
      this.#log.refused(socket.peerAddress, 'rate_limited', detail);
      this.#dispatch(entry, { type: 'evict', reason: 'rate_limited', detail });
    } else {
      this.#send(entry, this.#frames.write('challenge', { nonce, protocolVersion: PROTOCOL_VERSION }));
    }
    return this.#listener(entry);
  }

  /** Every `TICK_MS`. */
  tick(): void {
    this.#ticks += 1;
    const stalledMs = this.#clock.tick();
    if (stalledMs > 0) {
      this.#log.stalled(stalledMs);
      this.#parts.live.forgiveSilence(stalledMs);
    }
    const nowMs = this.#nowMs();
    const everySecond = this.#ticks % TICKS_PER_SECOND === 0;
    for (const entry of this.#links.all()) {
      if (entry.id % SLOTS === this.#ticks % SLOTS) this.#acks.heartbeat(entry);
      const silentForMs = nowMs - entry.heardAtMs;
      // Of an agent that has just spoken no second tells anything new.
      const isQuiet = entry.state.name !== 'linked' || silentForMs >= HEARTBEAT_INTERVAL_MS;
      if (everySecond && isQuiet) this.#dispatch(entry, { type: 'tick', silentForMs });
    }
    this.#rivals.tick();
    this.#acks.tick();
    if (!everySecond) return;
    for (const { hostId, presence } of this.#parts.live.tick()) {
      if (hostId !== null) this.#journal.presence(hostId, presence);
    }
    this.conflicts.tick(nowMs);
    for (const hostName of this.#commands.expire(nowMs)) this.#desired.tellAgain(hostName);
  }

  /** @returns what came of it; `null`: the host has no link */
  ask(hostName: string, command: Command, ttlMs: number): Promise<CommandEnd> | null {
    const entry = this.#links.of(hostName);
    if (!entry) return null;
    return new Promise((resolve) => this.#issue(entry, hostName, command, ttlMs, resolve));
  }

  /** The declared state changed: every agent is told what it is to keep now. */
  sendDesiredToAll(): void {
    for (const hostName of this.#links.hosts()) this.#desired.tell(hostName);
  }

  /** Ends every connection; each closes when its peer has answered, or after two seconds. */
  evictAll(reason: GoodbyeReason, detail: string): void {
    for (const entry of this.#links.all()) this.#dispatch(entry, { type: 'evict', reason, detail });
  }

  /** Ends whatever has, or waits for, the link of a host. Those that wait go first: none of them may take its place. */
  endHost(hostName: string, reason: GoodbyeReason, detail: string): void {
    const claiming = claimsOf(this.#links.all(), hostName);
    for (const entry of claiming) this.#dispatch(entry, { type: 'evict', reason, detail });
    this.#parts.onHostEnded?.(hostName, detail);
  }

  #listener(entry: LinkEntry): LinkSocketListener {
    return {
      message: (text, sizeBytes) => this.#message(entry, text, sizeBytes),
      ping: () => {
        if (this.#spend(entry, 1)) this.#heard(entry);
      },
      pong: (payload) => {
        this.#heard(entry);
        this.#acks.pong(entry, payload);
      },
      broken: (detail) => this.#refuseFrame(entry, { code: 'too_large', detail }),
      closed: () => {
        this.#links.closed(entry);
        this.#acks.forget(entry);
        this.#dispatch(entry, { type: 'socket_closed' });
      },
    };
  }

  #message(entry: LinkEntry, text: string | null, sizeBytes: number): void {
    if (entry.state.name === 'closing' || !this.#spend(entry, frameCost(sizeBytes))) return;
    this.#heard(entry);
    if (text === null) {
      this.#refuseFrame(entry, { code: 'not_text', detail: 'a binary message; a link speaks text' });
      return;
    }
    const decoded = decodeAgentFrame(text);
    if (decoded.ok) this.#dispatch(entry, { type: 'frame', frame: decoded.frame });
    else this.#refuseFrame(entry, decoded.refusal);
  }

  #refuseFrame(entry: LinkEntry, refusal: FrameRefusal): void {
    this.#dispatch(entry, { type: 'bad_frame', refusal });
  }

  #spend(entry: LinkEntry, cost: number): boolean {
    const { bucket, ok } = takeToken(entry.frames, FRAME_POLICY, cost, this.#nowMs());
    entry.frames = bucket;
    if (!ok) {
      const detail = `More than ${FRAME_POLICY.perSecond} frames a second.`;
      this.#dispatch(entry, { type: 'evict', reason: 'rate_limited', detail });
    }
    return ok;
  }

  #heard(entry: LinkEntry): void {
    entry.heardAtMs = this.#nowMs();
    if (entry.state.name !== 'linked') return;
    const hostName = entry.state.identity.hostName;
    this.#parts.live.heardFrom(hostName);
    this.#rivals.spoke(hostName, entry.id);
  }

  #tell(linkId: number, event: LinkEvent): void {
    const entry = this.#links.byId(linkId);
    if (entry) this.#dispatch(entry, event);
  }

  #dispatch(entry: LinkEntry, event: LinkEvent): void {
    const before = entry.state;
    const decision = advanceLink(before, event, this.#nowMs());
    if (!decision.ok) {
      this.#log.unexpected(entry.id, decision.refusal.state, decision.refusal.event);
      return;
    }
    entry.state = decision.state;
    if (before.name === 'contending' && decision.state !== before) {
      this.#rivals.left(before.identity.hostName, entry.id);
    }
    for (const effect of decision.effects) this.#perform(entry, effect);
  }

  #perform(entry: LinkEntry, effect: LinkEffect): void {
    switch (effect.type) {
      case 'identify':
        this.#identities.identify(entry, effect.hello);
        break;
      case 'contend':
        this.#contend(entry, effect.hello, effect.identity);
        break;
      case 'admit':
        this.#admit(entry, effect.hello, effect.identity);
        break;
      case 'take_report':
        this.#takeReport(entry, effect.frame);
        break;
      case 'take_outcome':
        if (entry.state.name === 'linked')
          this.#commands.settle(entry.state.identity.hostName, effect.outcome);
        break;
      case 'note_failure':
        this.#addresses.noteFailure(entry.socket.peerAddress, this.#nowMs());
        this.#log.refused(entry.socket.peerAddress, effect.reason, effect.detail);
        break;
      case 'release':
        this.#release(entry, effect);
        break;
      case 'say_goodbye':
        this.#sayGoodbye(entry, effect.reason, effect.detail);
        break;
      case 'close':
        entry.socket.close(1000, '');
        break;
      default:
        effect satisfies never;
    }
  }

  #sayGoodbye(entry: LinkEntry, reason: GoodbyeReason, detail: string): void {
    this.#send(entry, this.#frames.write('goodbye', { reason, detail: detail.slice(0, 500) }));
    entry.socket.close(closeCodes[reason], reason);
  }

  #contend(entry: LinkEntry, hello: Hello, identity: Identity): void {
    const incumbent = this.#links.of(identity.hostName);
    const rival = { linkId: entry.id, instanceId: hello.instanceId };
    if (incumbent) this.#rivals.came(identity.hostName, incumbent.id, rival);
    else this.#dispatch(entry, { type: 'won' });
  }

  #refuseRival(hostName: string, linkId: number): void {
    const entry = this.#links.byId(linkId);
    if (entry) this.#identities.refuseRival(entry, hostName);
  }

  #admit(entry: LinkEntry, hello: Hello, identity: Identity): void {
    if (entry.joinsWhenWon && !this.#identities.joinNow(entry, hello)) return;
    const { hostId, hostName, draining } = identity;
    const { agentVersion, commit, packaged, protocolVersion } = hello;
    const predecessor = this.#links.take(hostName, entry);
    this.#commands.linkEnded(hostName);
    entry.protocolVersion = protocolVersion;
    entry.telemetry = this.#reports.open(hostName, hello.instanceId);
    if (predecessor) {
      const detail = 'A newer link of this host took its place.';
      this.#dispatch(predecessor, { type: 'evict', reason: 'superseded', detail });
    }
    const peerAddress = entry.socket.peerAddress;
    const serverTimeMs = this.#parts.clock.nowMs();
    const welcome = { hostId, hostName, protocolVersion: PROTOCOL_VERSION, serverTimeMs };
    this.#send(entry, this.#frames.write('welcome', welcome));
    this.#parts.live.hostLinked({
      ...{ hostId, name: hostName, peerAddress, draining },
      ...{ agentVersion, commit, packaged, protocolVersion },
    });
    this.#journal.linked(identity, agentVersion);
    this.#log.linked(hostName, peerAddress);
    const waiting = this.#commands.outstanding(hostName, this.#nowMs());
    for (const command of waiting) {
      if (!STANDING.has(command.command.name)) this.#send(entry, this.#frames.write('command', command));
    }
    this.#desired.tell(hostName);
    this.#rivals.taken(hostName);
  }

  #issue(
    entry: LinkEntry,
    hostName: string,
    command: Command,
    ttlMs: number,
    onEnd?: (end: CommandEnd) => void,
  ): void {
    const outgoing = this.#commands.issue(hostName, command, ttlMs, this.#nowMs(), onEnd);
    this.#send(entry, this.#frames.write('command', outgoing));
  }

  #takeReport(entry: LinkEntry, frame: Extract<LinkEffect, { type: 'take_report' }>['frame']): void {
    if (entry.state.name !== 'linked') return;
    const wrong = this.#reports.take(entry, entry.state.identity, frame);
    if (wrong !== null) {
      this.#refuseFrame(entry, { code: 'invalid', detail: wrong });
      return;
    }
    const { backfill, inventory, replicas, orphans, issues, owner, upgrade, seq } = frame.body;
    const isNews = inventory || replicas || orphans || issues || owner || upgrade !== undefined;
    this.#acks.owe(entry, backfill === true || Boolean(isNews) || seq === 1);
  }

  #release(entry: LinkEntry, effect: Extract<LinkEffect, { type: 'release' }>): void {
    const { hostName, final, goodbyeReason, endedFor, detail } = effect;
    this.#acks.forget(entry);
    if (endedFor) this.#log.ended(hostName, entry.socket.peerAddress, endedFor, detail);
    // Its successor has the host already.
    if (!this.#links.leave(hostName, entry)) return;
    const { live } = this.#parts;
    const wasAway = live.host(hostName)?.presence === 'away';
    const hostId = live.host(hostName)?.hostId ?? null;
    live.hostUnlinked(hostName, final, goodbyeReason);
    this.#commands.linkEnded(hostName);
    if (goodbyeReason) this.#log.left(hostName, goodbyeReason);
    if (hostId !== null && goodbyeReason) this.#journal.goodbye(hostId, goodbyeReason);
    else if (hostId !== null && final && !wasAway) this.#journal.presence(hostId, 'away');
    this.#rivals.incumbentLeft(hostName);
  }

  #send(entry: LinkEntry, text: string): void {
    entry.socket.send(text);
    if (entry.state.name === 'closing' || entry.socket.bufferedBytes() <= MAX_BUFFERED_BYTES) return;
    const detail = `More than ${MAX_BUFFERED_BYTES} bytes wait for this agent.`;
    this.#dispatch(entry, { type: 'evict', reason: 'slow_consumer', detail });
  }

  #nowMs(): number {
    return this.#clock.monotonicMs();
  }
}
