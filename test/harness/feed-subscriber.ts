import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { TelemetrySample } from '@ai-fabric/shared';
import { applyTelemetryDelta, type TelemetryDelta } from '@ai-fabric/shared';
import WebSocket from 'ws';

interface FeedHost {
  readonly name: string;
  readonly presence: string;
  readonly issues: readonly { readonly code: string }[];
}
interface FeedReplica {
  readonly deployment: string;
  readonly status: { readonly phase: string };
}
type FeedMessage =
  | {
      readonly type: 'snapshot';
      readonly stream: string;
      readonly seq: number;
      readonly hosts: readonly { readonly host: FeedHost; readonly sample: TelemetrySample | null }[];
      readonly replicas: readonly FeedReplica[];
    }
  | {
      readonly type: 'change';
      readonly fromSeq: number;
      readonly seq: number;
      readonly hosts?: readonly FeedHost[];
      readonly samples?: readonly { readonly host: string; readonly delta: TelemetryDelta }[];
      readonly replicas?: readonly FeedReplica[];
      readonly backfilled?: readonly {
        readonly host: string;
        readonly fromMs: number;
        readonly toMs: number;
      }[];
    }
  | { readonly type: 'goodbye'; readonly reason: string };

/** A client of the telemetry feed that keeps what it was told, as a dashboard does. */
export class FeedSubscriber {
  readonly messages: FeedMessage[] = [];
  readonly hosts = new Map<string, FeedHost>();
  readonly samples = new Map<string, TelemetrySample>();
  readonly replicas = new Map<string, FeedReplica>();
  readonly #socket: WebSocket;
  #seq = -1;

  /** @param url of the control plane, `http` or `https` */
  constructor(url: string, headers: Readonly<Record<string, string>>, query = '') {
    this.#socket = new WebSocket(`${url.replace(/^http/, 'ws')}/api/v1/telemetry${query}`, {
      headers,
      rejectUnauthorized: false,
    });
    this.#socket.on('message', (data) => this.#take(JSON.parse(String(data)) as FeedMessage));
    // A refusal shows in `refusedWith`, a broken connection in what does not come.
    this.#socket.on('error', () => undefined);
  }

  /** It was here before, and holds this. */
  from(seq: number): this {
    this.#seq = seq;
    return this;
  }

  /** The status that the upgrade was answered with instead of a connection. */
  async refusedWith(): Promise<number> {
    const [, answer] = (await once(this.#socket, 'unexpected-response')) as [unknown, IncomingMessage];
    answer.resume();
    return answer.statusCode ?? 0;
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    // Not "once": a connection that was not made yet ends with an error too.
    await new Promise((resolve) => {
      this.#socket.once('close', resolve);
      this.#socket.terminate();
    });
  }

  #take(message: FeedMessage): void {
    this.messages.push(message);
    if (message.type === 'goodbye') return;
    if (message.type === 'snapshot') {
      for (const { host, sample } of message.hosts) {
        this.hosts.set(host.name, host);
        if (sample) this.samples.set(host.name, sample);
      }
    } else {
      if (message.fromSeq !== this.#seq) throw new Error(`a gap: ${message.fromSeq} after ${this.#seq}`);
      for (const host of message.hosts ?? []) this.hosts.set(host.name, host);
      for (const { host, delta } of message.samples ?? []) {
        this.samples.set(host, applyTelemetryDelta(this.samples.get(host) ?? null, delta));
      }
    }
    for (const replica of message.replicas ?? []) this.replicas.set(replica.deployment, replica);
    this.#seq = message.seq;
  }
}
