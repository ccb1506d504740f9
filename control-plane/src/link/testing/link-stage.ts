import type { AgentFrame, FrameBody, Report } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { LiveState } from '../../live/live-state.js';
import { declaredOf } from '../../live/testing/live-fixtures.js';
import type { Hello } from '../decide/link-lifecycle.js';
import { LinkLoop, TICK_MS } from '../link-loop.js';
import { type AgentKey, newAgentKey, signedHello } from './agent-keys.js';
import { FakeDeclaredSource } from './fake-declared-source.js';
import { FakeHostStore } from './fake-host-store.js';
import { FakeLinkSocket } from './fake-link-socket.js';

export const CERTIFICATE = 'cd'.repeat(32);

/** A clock that can also stand still with the process: its timers then fire once, late. */
class StallingClock extends ManualClock {
  #heldUpMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.#heldUpMs;
  }

  override nowMs(): number {
    return super.nowMs() + this.#heldUpMs;
  }

  stall(forMs: number): void {
    this.advance(250);
    this.#heldUpMs += forMs;
    this.advance(250);
  }
}

/** A loop with everything around it in memory and a clock that a test drives. */
export class LinkStage {
  readonly clock = new StallingClock();
  readonly logged: { msg: string; [field: string]: unknown }[] = [];
  readonly log = pino({ level: 'debug' }, { write: (line) => this.logged.push(JSON.parse(line)) });
  readonly store = new FakeHostStore();
  readonly declared = new FakeDeclaredSource(declaredOf({ motoko: ['chat'], armitage: ['deep'] }));
  readonly live = new LiveState({ clock: this.clock, log: this.log });
  readonly loop: LinkLoop;
  /** Of host motoko, enrolled. */
  readonly key: AgentKey = newAgentKey();
  #nonces = 0;

  constructor() {
    this.store.addHost({ publicKey: this.key.publicKey });
    this.live.seed(this.store.hosts, this.declared.current());
    this.loop = new LinkLoop({
      hosts: this.store,
      observations: this.store,
      live: this.live,
      declared: this.declared,
      certificateSha256: CERTIFICATE,
      clock: this.clock,
      randomBytes: (size) => {
        this.#nonces += 1;
        return Buffer.alloc(size, this.#nonces);
      },
      log: this.log,
    });
    this.declared.onChange((state) => {
      this.live.applyDeclared(state);
      this.loop.sendDesiredToAll();
    });
    this.clock.every(TICK_MS, () => this.loop.tick());
  }

  dial(peerAddress?: string): FakeLinkSocket {
    const socket = new FakeLinkSocket(peerAddress);
    return socket.attach(this.loop.open(socket));
  }

  hello(socket: FakeLinkSocket, more: Partial<Hello> = {}, key = this.key): void {
    const nonce = socket.of('challenge')[0]?.nonce ?? '';
    this.says(socket, 'hello', signedHello(key, nonce, CERTIFICATE, more));
  }

  /** Dials and says hello. */
  link(more: Partial<Hello> = {}, peerAddress?: string, key = this.key): FakeLinkSocket {
    const socket = this.dial(peerAddress);
    this.hello(socket, more, key);
    return socket;
  }

  says<Type extends AgentFrame['type']>(
    socket: FakeLinkSocket,
    type: Type,
    body: FrameBody<AgentFrame, Type>,
  ): void {
    // Still open generics of the same shape do not compare.
    socket.says(type, body as never, this.clock.nowMs());
  }

  reports(socket: FakeLinkSocket, seq: number, more: Partial<Report> = {}): void {
    this.says(socket, 'report', { seq, ...more });
  }

  /** A host that is enrolled under another name, with its own key and machine. */
  enrolled(name: string): AgentKey {
    const key = newAgentKey();
    this.store.addHost({ publicKey: key.publicKey, name });
    return key;
  }

  lines(message: string): number {
    return this.logged.filter(({ msg }) => msg === message).length;
  }
}
