import { Agent } from 'node:http';

/** uvicorn, vLLM's server, ends a connection that was idle for five seconds. */
const IDLE_MS = 4_000;
const MAX_IDLE_CONNECTIONS = 32;

/**
 * The kept connections to this host's engines. Node's own client, not undici: that one takes 20 MB of the agent's
 * memory. It follows no redirect.
 */
export class EngineConnections {
  readonly agent = new Agent({
    keepAlive: true,
    maxFreeSockets: MAX_IDLE_CONNECTIONS,
    scheduling: 'lifo',
    timeout: IDLE_MS,
  });

  /** An idle connection turned out to be dead: so are, most likely, the others, and the next try must find none. */
  dropIdle(): void {
    for (const sockets of Object.values(this.agent.freeSockets)) {
      for (const socket of [...(sockets ?? [])]) socket.destroy();
    }
  }

  close(): void {
    this.agent.destroy();
  }
}
