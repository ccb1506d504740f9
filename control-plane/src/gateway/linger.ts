import type { IncomingMessage } from 'node:http';
import type { Clock } from '@ai-fabric/shared';
import type { Deadlines, Expiring } from './deadlines.js';

/**
 * For a request that was answered before its body was whole: the rest is read and thrown away for a while, since a
 * connection that is closed on unread bytes is reset, and the client never sees why it was refused.
 */
export function linger(request: IncomingMessage, deadlines: Deadlines, clock: Clock, lingerMs: number): void {
  request.resume();
  if (request.complete || request.destroyed) return;
  const end: Expiring = {
    slot: -1,
    expiresAtMs: clock.monotonicMs() + lingerMs,
    onExpired() {
      deadlines.unwatch(end);
      request.destroy();
    },
  };
  deadlines.watch(end);
  request.once('close', () => deadlines.unwatch(end));
}
