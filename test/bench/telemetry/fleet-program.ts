import WebSocket from 'ws';
import { answerParent } from '../machine/answer-parent.js';
import { LightAgent } from './light-agent.js';

/* A thousand light agents, and whoever watches them: the load of the telemetry benchmark. */

export type FleetQuestion =
  | { readonly type: 'link'; readonly tlsPort: number; readonly joinTokens: readonly string[] }
  | {
      readonly type: 'subscribe';
      readonly tlsPort: number;
      readonly adminToken: string;
      readonly subscribers: number;
    }
  | { readonly type: 'count' };

/** Totals since the start. */
export interface FleetAnswer {
  readonly reports: number;
  /** Without envelopes. */
  readonly reportBytes: number;
  readonly feedMessages: number;
  readonly feedBytes: number;
  /** Links and subscriptions that failed or ended, in words. */
  readonly lost: readonly string[];
}

/** Handshakes under way at once: as after a power cut, but not so many that hello deadlines pass. */
const LINKS_AT_ONCE = 50;
const MAX_LOST = 5;
const MAX_FEED_MESSAGE_BYTES = 64 * 1024 * 1024;

const totals = { reports: 0, reportBytes: 0, feedMessages: 0, feedBytes: 0 };
const failures: string[] = [];
const agents: LightAgent[] = [];
const subscriptions: WebSocket[] = [];

async function link(tlsPort: number, joinTokens: readonly string[]): Promise<void> {
  for (let at = 0; at < joinTokens.length; at += LINKS_AT_ONCE) {
    const batch = joinTokens.slice(at, at + LINKS_AT_ONCE).map((joinToken, index) => {
      const tlsUrl = `https://127.0.0.1:${tlsPort}`;
      return new LightAgent({ index: at + index, tlsUrl, joinToken, random: Math.random, reported });
    });
    agents.push(...batch);
    await Promise.all(batch.map((agent) => agent.link()));
  }
}

function reported(lengthBytes: number): void {
  totals.reports += 1;
  totals.reportBytes += lengthBytes;
}

async function subscribe(tlsPort: number, adminToken: string, subscribers: number): Promise<void> {
  for (let index = 0; index < subscribers; index += 1) {
    const socket = new WebSocket(`wss://127.0.0.1:${tlsPort}/api/v1/telemetry`, {
      rejectUnauthorized: false,
      perMessageDeflate: false,
      maxPayload: MAX_FEED_MESSAGE_BYTES,
      headers: { authorization: `Bearer ${adminToken}` },
    });
    socket.on('message', (data: Buffer) => {
      totals.feedMessages += 1;
      totals.feedBytes += data.length;
    });
    socket.on('error', (error) => failures.push(`a subscription: ${error.message}`));
    subscriptions.push(socket);
    await new Promise((resolve) => {
      socket.once('message', resolve);
      socket.once('close', resolve);
    });
  }
}

function listLost(): string[] {
  const unlinked = agents.filter((agent) => !agent.isLinked).map((agent) => `${agent.name} is not linked`);
  const closed = subscriptions.filter((socket) => socket.readyState !== WebSocket.OPEN);
  const ended = closed.map(() => 'a subscription of the feed ended');
  return [...failures, ...unlinked, ...ended].slice(0, MAX_LOST);
}

answerParent<FleetQuestion>(async (question): Promise<FleetAnswer> => {
  try {
    if (question.type === 'link') await link(question.tlsPort, question.joinTokens);
    if (question.type === 'subscribe') {
      await subscribe(question.tlsPort, question.adminToken, question.subscribers);
    }
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  }
  return { ...totals, lost: listLost() };
});
