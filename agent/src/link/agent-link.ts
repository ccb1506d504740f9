import {
  type AgentFrame,
  type BuildInfo,
  type Clock,
  decodeServerFrame,
  encodeFrame,
  type FrameRefusal,
  type GoodbyeReason,
  keyProofText,
  MAX_FRAME_BYTES,
  type Outcome,
  PROTOCOL_VERSION,
  type Random,
  type Report,
  type Timer,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { CommandDesk, type ExecuteCommand } from './command-desk.js';
import { decideLink, STABLE_AFTER_MS } from './decide/decide-link.js';
import {
  initialLinkState,
  type LinkEffect,
  type LinkEvent,
  type LinkState,
  type LinkTimer,
} from './decide/link-state.js';
import { waitsForOperator } from './decide/plan-retry.js';
import { readCommandId } from './decide/read-command-id.js';
import type { PinnedAddress } from './dial-pinned-tls.js';
import { LinkConnections } from './link-connections.js';
import type { LinkFailure } from './link-failure.js';
import { linkSocketOpener, type OpenLinkSocket } from './link-socket.js';
import { LogLimiter } from './log-limiter.js';

/** What an agent says of itself when it proves its key. */
export interface LinkIdentity {
  readonly publicKey: string;
  readonly sign: (text: string) => string;
  readonly machineSha256: string;
  readonly instanceId: string;
  readonly agentVersion: string;
  readonly build: Pick<BuildInfo, 'commit' | 'packaged'>;
  readonly bootId: string;
  readonly hostName: string;
}

export interface LinkWelcome {
  readonly hostId: string;
  readonly hostName: string;
  /** The control plane's wall clock as it said so. */
  readonly serverTimeMs: number;
  /** The address of this host that the link leaves from; `null`: not known. */
  readonly localAddress: string | null;
}

/** Told what happens on the link, in order. Must not throw. */
export interface LinkListener {
  linked(welcome: LinkWelcome): void;
  down(failure: LinkFailure): void;
  acked(seq: number): void;
}

export interface AgentLinkOptions {
  readonly address: PinnedAddress;
  readonly identity: LinkIdentity;
  /** Enrols this host; shown to the holder of the pinned certificate alone. */
  readonly joinToken?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The clock that samples are stamped with: their age is told as the difference of the two. */
  readonly sentAtMs: () => number;
  readonly execute: ExecuteCommand;
  readonly listener: LinkListener;
  readonly openSocket?: OpenLinkSocket;
}

/** `held`: no link, or one that does not take more right now. `too_large`: it can never be sent. */
export type SendResult = 'sent' | 'held' | 'too_large';

/** More than this unsent means that the other side reads too slowly: reports wait in our own, bounded buffer. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

type Executors = {
  readonly [Type in LinkEffect['type']]: (effect: Extract<LinkEffect, { type: Type }>) => void;
};

/** The agent's link: dials, proves, keeps it alive, dials again. Owns the state; everybody else sends it events. */
export class AgentLink {
  readonly #options: AgentLinkOptions;
  readonly #connections: LinkConnections;
  readonly #desk: CommandDesk;
  readonly #limiter: LogLimiter;
  readonly #timers = new Map<LinkTimer, Timer>();
  #state: LinkState = initialLinkState;
  #frames = 0;
  #lastSeq = 0;

  readonly #executors: Executors = {
    dial: () => this.#connections.dial(this.#options.address),
    send_hello: ({ nonce }) => this.#sendHello(nonce),
    ping: () => this.#connections.socket?.ping(),
    arm: ({ timer, delayMs }) => this.#arm(timer, delayMs),
    disarm: ({ timer }) => this.#disarm(timer),
    disarm_all: () => {
      for (const timer of [...this.#timers.keys()]) this.#disarm(timer);
    },
    announce_linked: (welcome) => this.#announceLinked(welcome),
    announce_down: ({ failure, lostAfterMs, retryMs }) => this.#announceDown(failure, lostAfterMs, retryMs),
    deliver_ack: ({ seq }) => {
      this.#desk.acked(seq);
      this.#options.listener.acked(seq);
    },
    deliver_command: ({ frame }) => this.#desk.receive(frame.body),
    say_goodbye: ({ reason, detail }) => {
      this.#desk.down();
      const body = { reason, detail: detail.slice(0, 500) };
      this.#connections.close(this.#encode({ type: 'goodbye', body }), reason);
    },
    terminate: () => this.#connections.terminate(),
  };

  constructor(options: AgentLinkOptions) {
    const { clock, log, execute } = options;
    this.#options = options;
    this.#limiter = new LogLimiter(clock);
    this.#desk = new CommandDesk({ clock, log, execute, send: (outcome) => this.#sendOutcome(outcome) });
    this.#connections = new LinkConnections(options.openSocket ?? linkSocketOpener(clock), {
      opened: () => this.#dispatch({ type: 'opened' }),
      message: (text) => this.#onMessage(text),
      sign: () => this.#dispatch({ type: 'sign' }),
      ended: (failure) => this.#dispatch({ type: 'ended', failure }),
    });
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Begins, at first and after a stop. */
  start(): void {
    if (this.#state.name === 'stopped') this.#dispatch({ type: 'start' });
    else this.#perform({ type: 'dial' });
  }

  /** The machine slept: dials at once, whatever it waited for. */
  resumed(): void {
    this.#dispatch({ type: 'resumed' });
  }

  /** Sends one report, or leaves it to the caller to keep it. */
  sendReport(report: Report): SendResult {
    const { socket } = this.#connections;
    if (this.#state.name !== 'linked' || !socket || socket.bufferedBytes() > MAX_BUFFERED_BYTES)
      return 'held';
    const text = this.#encode({ type: 'report', body: report });
    if (Buffer.byteLength(text) > MAX_FRAME_BYTES) return 'too_large';
    this.#lastSeq = report.seq;
    socket.send(text);
    return 'sent';
  }

  /** Says goodbye where there is somebody to say it to. Resolves when no connection is left, within a second or so. */
  async stop(reason: GoodbyeReason, detail: string): Promise<void> {
    this.#dispatch({ type: 'stop', reason, detail });
    await this.#connections.allEnded();
  }

  #dispatch(event: LinkEvent): void {
    const { clock, random, log } = this.#options;
    const decision = decideLink(this.#state, event, { nowMs: clock.monotonicMs(), jitter: random() });
    if (!decision.ok) {
      log.debug({ refusal: decision.refusal }, 'link: event refused');
      return;
    }
    this.#state = decision.state;
    for (const effect of decision.effects) this.#perform(effect);
  }

  #perform<Type extends LinkEffect['type']>(effect: Extract<LinkEffect, { type: Type }>): void {
    const execute: (effect: Extract<LinkEffect, { type: Type }>) => void =
      this.#executors[effect.type as Type];
    execute(effect);
  }

  #onMessage(text: string | null): void {
    const decoded = text === null ? notText : decodeServerFrame(text);
    if (decoded.ok) this.#dispatch({ type: 'frame', frame: decoded.frame });
    else this.#onBadMessage(text ?? '', decoded.refusal);
  }

  #onBadMessage(text: string, { code, detail }: FrameRefusal): void {
    const { log } = this.#options;
    const commandId = code === 'invalid' && this.#state.name === 'linked' ? readCommandId(text) : null;
    if (commandId !== null) {
      if (this.#limiter.pass('invalid_command') !== null) log.warn({ detail }, 'link: a command was refused');
      this.#desk.refuse(commandId, detail);
      this.#dispatch({ type: 'sign' });
    } else if (code === 'unknown_type') {
      // A newer control plane may say more than we understand; that is no reason to part.
      if (this.#limiter.pass('unknown_type') !== null) log.warn({ detail }, 'link: a frame was ignored');
      this.#dispatch({ type: 'sign' });
    } else {
      this.#dispatch({ type: 'bad_frame', detail });
    }
  }

  #sendHello(nonce: string): void {
    const { socket } = this.#connections;
    if (!socket) return;
    const { identity, joinToken } = this.#options;
    const { publicKey, instanceId, agentVersion, build, hostName, machineSha256, bootId } = identity;
    const { certificateSha256 } = socket;
    const proof = identity.sign(keyProofText({ nonce, certificateSha256, publicKey, instanceId }));
    const body = {
      protocolVersion: PROTOCOL_VERSION,
      agentVersion,
      ...(build.commit === null ? {} : { commit: build.commit }),
      packaged: build.packaged,
      publicKey,
      proof,
      hostName,
      machineSha256,
      bootId,
      instanceId,
      ...(joinToken === undefined ? {} : { joinToken }),
    };
    socket.send(this.#encode({ type: 'hello', body }));
  }

  #sendOutcome(outcome: Outcome): number | null {
    if (this.#state.name !== 'linked') return null;
    this.#connections.socket?.send(this.#encode({ type: 'outcome', body: outcome }));
    return this.#lastSeq;
  }

  #announceLinked({ hostId, hostName, serverTimeMs }: Omit<LinkWelcome, 'localAddress'>): void {
    const { log, address, listener } = this.#options;
    if (this.#limiter.pass('up') !== null) log.info({ server: address.url, host: hostName }, 'link: up');
    const localAddress = this.#connections.socket?.localAddress ?? null;
    listener.linked({ hostId, hostName, serverTimeMs, localAddress });
    this.#desk.linked();
  }

  #announceDown(failure: LinkFailure, lostAfterMs: number | null, retryMs: number): void {
    const { log, address, listener } = this.#options;
    this.#desk.down();
    const reason = failure.code === 'goodbye' ? failure.reason : failure.code;
    // What comes after a link that held is news, however alike; a link that flaps is not.
    if (lostAfterMs !== null && lostAfterMs >= STABLE_AFTER_MS) this.#limiter.reset();
    const alike = this.#limiter.pass(reason);
    if (alike !== null) {
      const level = waitsForOperator(failure) ? 'error' : 'warn';
      const fields = { server: address.url, reason, retryMs, ...(alike > 0 ? { alike } : {}) };
      log[level](fields, `link: ${lostAfterMs === null ? 'not up' : 'lost'}: ${failure.detail}`);
    }
    listener.down(failure);
  }

  #arm(timer: LinkTimer, delayMs: number): void {
    this.#disarm(timer);
    const armed = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      this.#dispatch({ type: 'timer', timer });
    });
    this.#timers.set(timer, armed);
  }

  #disarm(timer: LinkTimer): void {
    this.#timers.get(timer)?.cancel();
    this.#timers.delete(timer);
  }

  #encode(part: FramePart): string {
    this.#frames += 1;
    const frame: AgentFrame = { id: `a${this.#frames}`, sentAtMs: this.#options.sentAtMs(), ...part };
    return encodeFrame(frame);
  }
}

/** A frame less its envelope. */
type FramePart = {
  [Type in AgentFrame['type']]: Pick<Extract<AgentFrame, { type: Type }>, 'type' | 'body'>;
}[AgentFrame['type']];

const notText: { ok: false; refusal: FrameRefusal } = {
  ok: false,
  refusal: { code: 'not_text', detail: 'a binary frame' },
};
