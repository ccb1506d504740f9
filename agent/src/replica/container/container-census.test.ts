import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import type { ContainerEngineProbe, ContainerSummary } from '../../containers/container-engine.js';
import { ContainerEngineError } from '../../containers/container-engine-error.js';
import { ContainerCensus } from './container-census.js';

const AWAY: ContainerEngineProbe = {
  reachable: false,
  code: 'engine_unreachable',
  detail: 'No container engine answers.',
  fix: 'Install one.',
};
const NOBODY = { concerns: () => false, happened: () => undefined };

/** An engine that is not there, and what it was asked. */
function open(): { census: ContainerCensus; clock: ManualClock; asked: string[] } {
  const clock = new ManualClock();
  const asked: string[] = [];
  const census = new ContainerCensus({
    engine: {
      probe: async () => {
        asked.push('probe');
        return AWAY;
      },
      list: async (): Promise<readonly ContainerSummary[]> => {
        asked.push('list');
        throw new ContainerEngineError('unreachable', 'It is away.');
      },
      events: async function* (signal) {
        asked.push('events');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
      stop: () => Promise.resolve(),
      remove: () => Promise.resolve(),
    },
    hostId: 'host-1',
    clock,
    log: pino({ level: 'silent' }),
    onOrphans: () => undefined,
    hasAdopted: () => false,
  });
  opened.push(census);
  return { census, clock, asked };
}

const opened: ContainerCensus[] = [];

afterEach(async () => {
  for (const census of opened.splice(0)) await census.close();
});

async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a container engine', () => {
  it('that nobody needs is asked for orphans once a minute, and for nothing else', async () => {
    const { census, clock, asked } = open();
    await pass(clock, 120_000);
    expect(asked).toEqual([]);
    census.declare(new Set(['external']));
    expect(asked).toEqual(['list']);
    await pass(clock, 120_000);
    expect(asked).toEqual(['list', 'list', 'list']);
  });

  it('is listened to at once when a replica is declared, and asked every ten seconds whether it is there', async () => {
    const { census, clock, asked } = open();
    census.declare(new Set());
    census.watch(NOBODY);
    census.watch(NOBODY);
    await pass(clock, 30_000);
    expect(asked).toEqual(['list', 'events', 'probe', 'probe', 'probe']);
  });

  it('is asked for nothing any more after the end', async () => {
    const { census, clock, asked } = open();
    census.watch(NOBODY);
    await census.close();
    census.declare(new Set());
    census.watch(NOBODY);
    asked.splice(0);
    await pass(clock, 120_000);
    expect(asked).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
