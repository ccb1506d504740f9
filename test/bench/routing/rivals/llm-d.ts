import type { EngineReading } from '@ai-fabric/shared';
import type { NamedPolicy } from '../lab-policy.js';
import { PrefixTrees } from './prefix-trees.js';
import { pickLeast, rival } from './rival.js';

const QUEUE_WEIGHT = 2;
const KV_WEIGHT = 2;
const PREFIX_WEIGHT = 3;

/**
 * The scorers and weights that llm-d's guide for optimised inference sets up: the longest reported queue scores 0 and
 * the shortest 1 (all 1 where they are equal), a KV cache scores what is free of it, a prefix the share of the prompt
 * that was sent there before. The highest sum wins. Gauges are used however old they are.
 * Source: llm-d-router, `scorer/{queuedepth,kvcacheutilization,prefix}`.
 */
export const llmD: NamedPolicy = rival('llm-d', (port) => {
  const readings: (EngineReading | undefined)[] = [];
  const trees = new PrefixTrees(port.replicas.length);
  const waiting = (replica: number): number => readings[replica]?.waiting ?? 0;
  return {
    reading: (replica, reading) => {
      readings[replica] = reading;
    },
    sent: (request, replica) => trees.add(request, replica),
    choose: (request, among) => {
      const queues = among.map(waiting);
      const most = Math.max(...queues);
      const range = most - Math.min(...queues);
      const score = (replica: number): number => {
        const queue = range === 0 ? 1 : (most - waiting(replica)) / range;
        const kv = 1 - (readings[replica]?.kvUsageRatio ?? 0);
        return QUEUE_WEIGHT * queue + KV_WEIGHT * kv + PREFIX_WEIGHT * trees.match(request, replica);
      };
      return pickLeast(among, (replica) => -score(replica), port.random);
    },
  };
});
