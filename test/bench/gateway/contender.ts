import type { BenchProcess } from '../machine/bench-process.js';
import type { LoadTarget } from './load/http-load.js';

/** Something between a client and an engine. */
export interface Contender {
  readonly name: 'ours' | 'bare_relay' | 'portkey' | 'haproxy';
  readonly process: BenchProcess;
  readonly target: Omit<LoadTarget, 'body'>;
  /** Whether it relays streams at all. */
  readonly streams: boolean;
  /** Of all answers, the share that may be missing. */
  readonly toleratedFailures: number;
  /** Prometheus' text of ours. */
  readonly metrics?: () => Promise<string>;
}
