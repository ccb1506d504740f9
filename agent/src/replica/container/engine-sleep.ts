import type { Clock } from '@ai-fabric/shared';
import { engineHttp } from '../../sensors/engine/engine-http.js';
import { type EngineAddress, engineUrl } from '../engine-address.js';

/** vLLM's sleep mode. Level 1 alone: after level 2 it answers garbage unless its weights are loaded anew (#29341). */
export interface EngineSleep {
  isAsleep(signal: AbortSignal): Promise<boolean>;
  sleep(signal: AbortSignal): Promise<void>;
  wakeUp(signal: AbortSignal): Promise<void>;
  close(): void;
}

const ASK_DEADLINE_MS = 5_000;
/** 8B took 10.6 s to sleep; a slow host's memory takes longer. */
const CHANGE_DEADLINE_MS = 120_000;
const MAX_BYTES = 64 * 1024;

/** Its paths are open in the engine's dev mode, which is why the engine listens on loopback alone then. */
export function engineSleep(address: EngineAddress, clock: Clock): EngineSleep {
  const { key } = address;
  const client = engineHttp(clock);
  const ask = async (method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<string> => {
    const { status, body } = await client.request({
      method,
      url: new URL(engineUrl(address) + path),
      ...(key === null ? {} : { headers: { authorization: `Bearer ${key}` } }),
      signal,
      deadlineMs: method === 'GET' ? ASK_DEADLINE_MS : CHANGE_DEADLINE_MS,
      maxBytes: MAX_BYTES,
    });
    if (status !== 200) throw new Error(`${method} ${path} answered ${status}`);
    return body.toString('utf8');
  };
  return {
    isAsleep: async (signal) => /"is_sleeping"\s*:\s*true/.test(await ask('GET', '/is_sleeping', signal)),
    sleep: async (signal) => {
      await ask('POST', '/sleep?level=1', signal);
    },
    wakeUp: async (signal) => {
      await ask('POST', '/wake_up', signal);
    },
    close: () => client.close(),
  };
}
