import { describe, expect, it } from 'vitest';
import { buildDeployment } from '../../declared/decide/build-deployment.js';
import type { VllmDeployment } from '../../declared/declared-state.js';
import { deploymentEntrySchema } from '../../declared/deployment-entry-schema.js';
import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
import type { RouteDecision, RouteRequest } from '../route-types.js';
import { defaultRouterSettings } from '../router-settings.js';
import {
  cloudGroupOf,
  cloudOf,
  replicaOf,
  replicasOf,
  requestOf,
  roleOf,
  termsOf,
} from '../testing/router-fixtures.js';
import { route } from './route.js';

function vllmDeploymentOf(name: string, wish: VllmDeployment['wish']): VllmDeployment {
  const entry = deploymentEntrySchema.parse({
    ...{ engine: 'vllm', host: 'armitage', task: 'chat', model: 'Qwen/Qwen2.5-3B-Instruct', wish },
  });
  return buildDeployment(name, entry) as VllmDeployment;
}

const cloud = cloudGroupOf(cloudOf('openai/cheap'));

function decide(groups: readonly CandidateGroup[], more: Partial<RouteRequest> = {}): RouteDecision {
  const request = requestOf({ mayWait: true, ...more });
  return route(request, groups, termsOf(), () => 0, defaultRouterSettings.route);
}

const told = (decision: RouteDecision): string =>
  decision.kind === 'wait'
    ? `wait: ${decision.reason}`
    : decision.kind === 'refuse'
      ? `refuse: ${decision.code}`
      : decision.kind;

type Parts = Partial<Omit<ReplicaCandidate, 'deployment'>>;
interface Row {
  readonly of: string;
  readonly parts: Parts;
  readonly tried?: boolean;
  readonly alone: string;
  readonly beforeCloud: string;
}
const sure = (reason: string) => ({ alone: `wait: ${reason}`, beforeCloud: `wait: ${reason}` });
const unsure = (reason: string) => ({ alone: `wait: ${reason}`, beforeCloud: 'cloud' });
const never = (code: string) => ({ alone: `refuse: ${code}`, beforeCloud: 'cloud' });

const noTunnel = (noWayForMs: number): Parts => ({ noWay: { reason: 'tunnel_down' }, noWayForMs });
const noAddress = (noWayForMs: number): Parts => ({
  noWay: { reason: 'address_unknown', detail: 'nobody knows where it is' },
  noWayForMs,
});

const rows: readonly Row[] = [
  { of: 'an address that is about to be told', parts: noAddress(0), ...unsure('silent') },
  { of: 'an address that nobody tells', parts: noAddress(5_000), ...never('not_ready') },
  { of: 'every slot taken', parts: { inflight: 4 }, ...sure('full') },
  { of: 'an engine that says it is full', parts: { busyForMs: 300 }, ...sure('full') },
  { of: 'one that was tried and is full', parts: { busyForMs: 300 }, tried: true, ...sure('full') },
  { of: 'loading', parts: { phase: 'loading' }, ...sure('loading') },
  { of: 'warming', parts: { phase: 'warming' }, ...sure('loading') },
  { of: 'tried, loading since', parts: { phase: 'loading' }, tried: true, ...sure('loading') },
  {
    of: 'no answer of an engine that others run, a while ago',
    parts: { phase: 'starting', phaseForMs: 60_000 },
    ...unsure('loading'),
  },
  {
    of: 'no answer of it for long',
    parts: { phase: 'starting', phaseForMs: 120_000 },
    ...never('not_ready'),
  },
  { of: 'no container between two', parts: { phase: 'absent', phaseForMs: 1_000 }, ...sure('loading') },
  { of: 'no container', parts: { phase: 'absent', phaseForMs: 5_000 }, ...never('not_ready') },
  { of: 'failed', parts: { phase: 'failed' }, ...never('not_ready') },
  { of: 'a tunnel that broke just now', parts: { ...noTunnel(0) }, ...unsure('silent') },
  { of: 'a tunnel that is not there for long', parts: { ...noTunnel(60_000) }, ...never('not_ready') },
  { of: 'a tunnel that was never there', parts: { ...noTunnel(Infinity) }, ...never('not_ready') },
  {
    of: 'an attempt that broke with its tunnel',
    parts: { ...noTunnel(900), doubtForMs: 9_000 },
    tried: true,
    ...unsure('silent'),
  },
  {
    of: 'an attempt, behind a tunnel that is not there for long',
    parts: { ...noTunnel(60_000), doubtForMs: 9_000 },
    tried: true,
    ...never('all_failed'),
  },
  {
    of: 'a tunnel of a host that drains',
    parts: { ...noTunnel(900), draining: true },
    ...never('not_ready'),
  },
  { of: 'a host that is late', parts: { presence: 'late' }, ...unsure('silent') },
  { of: 'a host that is away', parts: { presence: 'away' }, ...never('host_away') },
  { of: 'a host that never joined', parts: { presence: 'unseen' }, ...never('host_away') },
  { of: 'a host that drains', parts: { draining: true }, ...never('not_ready') },
  {
    of: 'a breaker that opened just now',
    parts: { blockedForMs: 900, doubtForMs: 9_000 },
    ...unsure('silent'),
  },
  { of: 'a breaker that stays open', parts: { blockedForMs: 900 }, ...never('not_ready') },
  { of: 'an attempt that failed just now', parts: { doubtForMs: 9_000 }, tried: true, ...unsure('silent') },
  { of: 'an attempt at what fails for long', parts: {}, tried: true, ...never('all_failed') },
  {
    of: 'an attempt, on a host that is away since',
    parts: { presence: 'away', doubtForMs: 9_000 },
    tried: true,
    ...never('all_failed'),
  },
];

describe('whether a request is held for', () => {
  describe.each(rows)('$of', ({ parts, tried, alone, beforeCloud }) => {
    const replica = replicaOf('a', parts);
    const excluded = new Set(tried === true ? ['a'] : []);

    it(`alone: ${alone}`, () => {
      expect(told(decide([replicasOf(replica)], { excluded }))).toBe(alone);
    });

    it(`in front of a provider: ${beforeCloud}`, () => {
      expect(told(decide([replicasOf(replica), cloud], { excluded }))).toBe(beforeCloud);
    });

    it('behind a provider that answers: never', () => {
      expect(decide([cloud, replicasOf(replica)], { excluded }).kind).toBe('cloud');
    });

    it('beside a replica that serves: never', () => {
      expect(decide([replicasOf(replica, replicaOf('b'))], { excluded }).kind).toBe('send');
    });

    it('without patience, or where nobody asked to wait: never', () => {
      const role = roleOf('chat-fast', ['a'], { patienceSeconds: 0 });
      const impatient = { excluded, resolved: { kind: 'role' as const, role } };
      expect(decide([replicasOf(replica)], impatient).kind).toBe('refuse');
      expect(decide([replicasOf(replica)], { excluded, mayWait: false }).kind).toBe('refuse');
    });
  });

  it.each([
    { phase: 'failed' as const, phaseForMs: 1_000, wish: 'running' as const, told: 'wait: loading' },
    { phase: 'failed' as const, phaseForMs: 6_000, wish: 'running' as const, told: 'refuse: not_ready' },
    { phase: 'crash_looping' as const, phaseForMs: 0, wish: 'running' as const, told: 'refuse: not_ready' },
    { phase: 'absent' as const, phaseForMs: 1_000, wish: 'running' as const, told: 'wait: loading' },
    { phase: 'starting' as const, phaseForMs: 200_000, wish: 'running' as const, told: 'wait: loading' },
    { phase: 'absent' as const, phaseForMs: 1_000, wish: 'stopped' as const, told: 'refuse: not_ready' },
    { phase: 'stopping' as const, phaseForMs: 1_000, wish: 'stopped' as const, told: 'refuse: not_ready' },
    { phase: 'draining' as const, phaseForMs: 1_000, wish: 'parked' as const, told: 'refuse: not_ready' },
    { phase: 'parked' as const, phaseForMs: 1_000, wish: 'parked' as const, told: 'refuse: not_ready' },
  ])('one that its agent keeps, wished $wish, $phase for $phaseForMs ms: $told', (row) => {
    const { phase, phaseForMs, wish } = row;
    const replica = { ...replicaOf('a', { phase, phaseForMs }), deployment: vllmDeploymentOf('a', wish) };
    expect(told(decide([replicasOf(replica)]))).toBe(row.told);
  });

  it('looks again by itself when what is missing is no gap any more', () => {
    const decision = decide([replicasOf(replicaOf('a', { ...noTunnel(20_000) }))]);
    expect(decision).toMatchObject({
      kind: 'wait',
      lookAgainInMs: 40_000,
      patienceMs: 50_000,
      detail: 'a: the tunnel to host host-of-a is down; its agent opens it again by itself',
    });
  });

  it('names what it waits for, the nearest of them, and when to look by itself', () => {
    const group = replicasOf(
      replicaOf('loading', { phase: 'loading' }),
      replicaOf('full', { busyForMs: 250 }),
      replicaOf('away', { presence: 'away' }),
    );
    expect(decide([group])).toMatchObject({
      kind: 'wait',
      reason: 'full',
      waitsFor: ['loading', 'full'],
      lookAgainInMs: 250,
      patienceMs: 50_000,
      detail: 'full: its engine says that its queue is full',
    });
  });

  it('never says chosen of the provider that it does not go to yet', () => {
    const decision = decide([replicasOf(replicaOf('a', { phase: 'loading' })), cloud]);
    expect(decision.considered.map(({ verdict }) => verdict)).toEqual(['not_ready', 'passed_over']);
  });
});
