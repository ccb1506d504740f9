import { expect, it } from 'vitest';
import type { AgentFacts, HostCheck, HostFacts } from './host-checks.js';
import { watchHost } from './watch-host.js';

const link = { linkedSinceMs: null, clockAheadMs: null, problem: null, problemCode: null } as const;
const agent = (state: 'connecting' | 'linked'): AgentFacts => ({
  ...{ kind: 'runs', server: 'https://motoko:8443', hostName: 'armitage', startedAtMs: 0 },
  link: { ...link, state },
});
const facts = (more: Partial<HostFacts>): HostFacts => ({
  ...{ platform: 'linux', nowMs: 0, agent: { kind: 'stopped', server: 's', hostName: 'a' } },
  ...{
    service: { isEnabled: true, isActive: true, ending: null },
    cards: [],
    areCardsRead: false,
    issues: [],
  },
  ...{ containerEngine: null, engineFix: null, cdi: 'no_spec', wake: null, replicas: [] },
  ...{ windows: null, ...more },
});

/** What an agent tells, look by look; the last for ever. */
async function watch(
  looks: readonly HostFacts[],
  deadlineMs = 10_000,
  isHopeless: (facts: HostFacts) => boolean = () => false,
) {
  let nowMs = 0;
  let at = -1;
  const told: string[] = [];
  const checks: readonly HostCheck[] | null = await watchHost({
    readFacts: () => {
      at += 1;
      return Promise.resolve(looks[Math.min(at, looks.length - 1)] ?? facts({}));
    },
    clock: { monotonicMs: () => nowMs },
    pause: (ms) => {
      nowMs += ms;
      return Promise.resolve();
    },
    deadlineMs,
    isHopeless,
    onKnown: ({ id, state }) => told.push(`${id} ${state}`),
  });
  return {
    told,
    isOver: checks !== null,
    states: Object.fromEntries((checks ?? []).map(({ id, state }) => [id, state])),
    nowMs,
  };
}

const settled = facts({
  agent: agent('linked'),
  areCardsRead: true,
  containerEngine: { reachable: true, flavour: 'docker', version: '27', rootless: false, desktop: false },
  wake: [],
});

it('tells of each check once, when something is known of it, and ends when all is', async () => {
  const { told, nowMs } = await watch([facts({}), facts({ agent: agent('linked') }), settled]);
  expect(told).toEqual([
    'sign_in_at_boot green',
    'linked green',
    'driver_and_cards red',
    'container_engine green',
    'cdi not_applicable',
    'gpu_in_container not_applicable',
    'wake_arming not_applicable',
  ]);
  expect(nowMs).toBe(500);
});

it('ends at once where nothing more is to come', async () => {
  const forgotten = facts({ nowMs: 7 });
  const { isOver, nowMs } = await watch([facts({}), forgotten], 10_000, (seen) => seen.nowMs === 7);
  expect([isOver, nowMs]).toEqual([false, 250]);
});

it('does not call a link broken that is on its way', async () => {
  const { told } = await watch([facts({}), facts({ agent: agent('connecting') }), settled]);
  expect(told.filter((line) => line.startsWith('linked'))).toEqual(['linked green']);
});

it('says what is wrong where it does not come in time', async () => {
  const { states, nowMs } = await watch([facts({})]);
  expect(states['linked']).toBe('red');
  expect(nowMs).toBe(10_000);
});
