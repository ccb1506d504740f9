import type { SleepingHost } from '../../harness/sleeping-hosts.js';
import type { Rounds } from '../rounds.js';
import { percentile } from '../statistics.js';
import { ask } from './client.js';
import type { NotingEngine } from './noting-engine.js';

export interface WakeStage {
  readonly port: number;
  readonly engine: NotingEngine;
  /** Each serves the role of its name. */
  readonly hosts: readonly SleepingHost[];
}

/** Wakes them by turns, one at a time, each by a request for its role. @throws Error where one is not answered */
export async function measureWakes(stage: WakeStage, wakes: number, rounds: Rounds): Promise<void> {
  const packetMs: number[] = [];
  const forwardMs: number[] = [];
  const wholeMs: number[] = [];
  for (let index = 0; index < wakes; index += 1) {
    const host = stage.hosts[index % stage.hosts.length];
    if (host === undefined) throw new Error('there is no host to wake');
    await host.sleep();
    stage.engine.arrivals.length = 0;
    const says = `wake-${index}`;
    const askedAtMs = performance.now();
    const { status, text } = await ask({ port: stage.port, model: host.name, says });
    wholeMs.push(performance.now() - askedAtMs);
    const arrival = stage.engine.arrivalOf(says);
    if (status !== 200 || arrival === undefined || host.packetAtMs === null || host.readyAtMs === null) {
      throw new Error(`${host.name} was not woken: ${status} ${text.slice(0, 300)}`);
    }
    packetMs.push(host.packetAtMs - askedAtMs);
    forwardMs.push(arrival.atMs - host.readyAtMs);
  }
  rounds.add('packet_out_p95_ms', percentile(packetMs, 0.95));
  rounds.add('packet_out_p50_ms', percentile(packetMs, 0.5));
  rounds.add('forward_p95_ms', percentile(forwardMs, 0.95));
  rounds.add('forward_p50_ms', percentile(forwardMs, 0.5));
  rounds.add('wake_p50_ms', percentile(wholeMs, 0.5));
}
