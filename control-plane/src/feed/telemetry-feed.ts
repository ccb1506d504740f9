import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, closeCodes } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { connectionsEnded } from '../http/connections-ended.js';
import { refuseUpgrade } from '../http/refuse-upgrade.js';
import type { LiveView } from '../live/live-view.js';
import { parseFeedQuery } from './decide/parse-feed-query.js';
import { FeedBroadcast } from './feed-broadcast.js';
import { createFeedSocketAcceptor, type FeedSocketAcceptor } from './feed-socket.js';

/** `/api/v1/telemetry`: the live view over WebSocket. Messages are in `feed-messages.ts`. */
export interface TelemetryFeed {
  /** Takes an upgrade that was authenticated. Answers it whatever it is. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  subscriberCount(): number;
  /** Says goodbye to all subscribers and resolves when their connections have ended: two seconds at the most. */
  close(): Promise<void>;
}

export interface TelemetryFeedParts {
  readonly live: LiveView;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who finishes upgrades; left out, `ws` does. */
  readonly acceptor?: FeedSocketAcceptor;
}

/** Changes are gathered for this long. */
export const FEED_TICK_MS = 250;
export const MAX_SUBSCRIBERS = 200;

export function createTelemetryFeed(parts: TelemetryFeedParts): TelemetryFeed {
  const acceptor = parts.acceptor ?? createFeedSocketAcceptor();
  const broadcast = new FeedBroadcast(parts);
  const timer = parts.clock.every(FEED_TICK_MS, () => broadcast.tick());
  let closing = false;
  return {
    handleUpgrade: (request, socket, head) => {
      const query = parseFeedQuery(request.url ?? '');
      if (!query.ok) refuseUpgrade(socket, 400, query.detail);
      else if (closing || broadcast.count >= MAX_SUBSCRIBERS) {
        refuseUpgrade(
          socket,
          503,
          closing ? 'the control plane stops' : `there are ${MAX_SUBSCRIBERS} already`,
        );
      } else {
        const { filter, resume } = query;
        acceptor.accept(request, socket, head, (feedSocket) => broadcast.add(feedSocket, filter, resume));
      }
    },
    subscriberCount: () => broadcast.count,
    close: async () => {
      closing = true;
      timer.cancel();
      broadcast.end('service_stop', closeCodes.service_stop, 'The control plane stops.');
      await connectionsEnded(() => broadcast.count);
    },
  };
}
