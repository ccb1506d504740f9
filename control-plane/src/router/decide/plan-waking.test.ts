import { describe, expect, it } from 'vitest';
import { buildDeployment } from '../../declared/decide/build-deployment.js';
import type { OnAsleep } from '../../declared/declared-state.js';
import { deploymentEntrySchema } from '../../declared/deployment-entry-schema.js';
import type { WakePhase } from '../../live/host-power.js';
import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
import type { RouteDecision, RouteRequest, WakePermit } from '../route-types.js';
import { defaultRouterSettings } from '../router-settings.js';
import { flightOf, powerOf } from '../testing/power-fixtures.js';
import {
  cloudGroupOf,
  cloudOf,
  replicaOf,
  replicasOf,
  requestOf,
  roleOf,
  termsOf,
} from '../testing/router-fixtures.js';
import { readyAfterWakeMs } from './plan-waking.js';
import { route } from './route.js';

type Parts = Partial<Omit<ReplicaCandidate, 'deployment' | 'load'>>;
type Refusal = Extract<RouteDecision, { kind: 'refuse' }>;

const asleep = (name = 'a', more: Parts = {}): ReplicaCandidate =>
  replicaOf(name, { presence: 'away', power: powerOf(), wakeInMs: 40_000, ...more });
const waking = (name = 'a', more: Parts = {}): ReplicaCandidate =>
  asleep(name, { power: powerOf({ state: 'waking', flight: flightOf() }), wakeInMs: 37_000, ...more });
const hopeless = (name = 'a'): ReplicaCandidate =>
  asleep(name, {
    power: powerOf({
      wakeability: { kind: 'no', reason: 'wifi', detail: 'it is joined by Wi-Fi alone' },
    }),
  });
const cloud = cloudGroupOf(cloudOf('openai/cheap'));
const alone = [replicasOf(asleep())];
const beforeCloud = [replicasOf(asleep()), cloud];

const STREAM = { key: 'k', promptBytes: null, streams: true, choices: 1 };

interface Asked extends Partial<RouteRequest> {
  readonly onAsleep?: OnAsleep;
  readonly patienceSeconds?: number;
}

function decide(
  groups: readonly CandidateGroup[],
  { onAsleep = 'hold', patienceSeconds = 50, ...more }: Asked = {},
): RouteDecision {
  const role = roleOf('chat-deep', [], { onAsleep, patienceSeconds });
  const request = requestOf({
    resolved: { kind: 'role', role },
    mayWait: true,
    wakes: 'may',
    hints: STREAM,
    ...more,
  });
  return route(request, groups, termsOf(), () => 0, defaultRouterSettings.route);
}

function told(decision: RouteDecision): string {
  switch (decision.kind) {
    case 'send':
      return `send ${decision.deployment.name}`;
    case 'cloud':
      return `cloud: ${decision.reason}`;
    case 'wait':
      return `wait: ${decision.reason}`;
    case 'wakeThenWait':
      return `wake ${decision.wake.join('+')}, wait: ${decision.reason}`;
    case 'cloudWhileWaking':
      return `wake ${decision.wake.join('+')}, cloud: ${decision.reason}`;
    case 'refuse':
      return `${decision.wake === undefined ? '' : `wake ${decision.wake.join('+')}, `}refuse: ${decision.code}`;
  }
}

const HELD = 'wake a, wait: waking';
const MEANWHILE = 'wake a, cloud: cloud_while_waking';
const FALLBACK = 'cloud: cloud_fallback';

describe('a role whose host sleeps', () => {
  const rows: readonly { onAsleep: OnAsleep; alone: string; cloudBehind: string }[] = [
    { onAsleep: 'hold', alone: HELD, cloudBehind: HELD },
    { onAsleep: 'cloudThenLocal', alone: HELD, cloudBehind: MEANWHILE },
    { onAsleep: 'cloud', alone: 'refuse: host_asleep', cloudBehind: FALLBACK },
    { onAsleep: 'refuse', alone: 'refuse: host_asleep', cloudBehind: 'refuse: host_asleep' },
  ];
  it.each(rows)('that says $onAsleep', ({ onAsleep, alone: expected, cloudBehind }) => {
    expect(told(decide(alone, { onAsleep }))).toBe(expected);
    expect(told(decide(beforeCloud, { onAsleep }))).toBe(cloudBehind);
  });

  it.each(rows)(
    'that says $onAsleep, and a key that may not use the cloud',
    ({ onAsleep, alone: expected }) => {
      expect(told(decide(beforeCloud, { onAsleep, mayCloud: false }))).toBe(expected);
      expect(told(decide(beforeCloud, { onAsleep, localOnly: true }))).toBe(expected);
    },
  );

  it.each<{ of: string; request: Partial<RouteRequest> }>([
    { of: 'a key that may not wake', request: { wakes: 'key_forbids' } },
    { of: 'a fleet that wakes none', request: { wakes: 'in_vain' } },
    { of: 'a listing or a check', request: { wakes: 'not_asked' } },
    { of: 'class batch', request: { requestClass: 'batch' } },
  ])('is not woken for $of', ({ request }) => {
    for (const onAsleep of ['hold', 'cloudThenLocal', 'cloud'] as const) {
      expect(told(decide(alone, { ...request, onAsleep }))).toBe('refuse: host_asleep');
      expect(told(decide(beforeCloud, { ...request, onAsleep }))).toBe(FALLBACK);
    }
    expect(told(decide(beforeCloud, { ...request, onAsleep: 'refuse' }))).toBe('refuse: host_asleep');
  });

  it('that left no word of permission is not woken', () => {
    const request = requestOf({ mayWait: true });
    const decision = route(request, alone, termsOf(), () => 0, defaultRouterSettings.route);
    expect(told(decision)).toBe('refuse: host_asleep');
  });

  it('is woken for a deployment that is asked for by its own name', () => {
    const { deployment } = asleep();
    expect(told(decide(alone, { resolved: { kind: 'deployment', deployment } }))).toBe(HELD);
  });

  it('that cannot be woken is away, with the reason', () => {
    const decision = decide([replicasOf(hopeless())]) as Refusal;
    expect(told(decision)).toBe('refuse: host_away');
    expect(decision.detail).toContain('cannot be woken: it is joined by Wi-Fi alone');
    expect(told(decide([replicasOf(hopeless()), cloud]))).toBe(FALLBACK);
  });

  it('is waited for as long as its role is patient', () => {
    const decision = decide(alone, { patienceSeconds: 45 });
    expect(decision).toMatchObject({ kind: 'wakeThenWait', patienceMs: 45_000, waitsFor: ['a'] });
  });

  it('names every deployment that a wake could bring, in their order', () => {
    const groups = [replicasOf(asleep('b'), asleep('a')), replicasOf(hopeless('c')), replicasOf(asleep('d'))];
    expect(told(decide(groups))).toBe('wake b+a+d, wait: waking');
    expect(decide(groups)).toMatchObject({ waitsFor: ['b', 'a', 'd'] });
  });
});

describe('how long a wake may take', () => {
  const slow = [replicasOf(asleep('a', { wakeInMs: 50_001 }))];
  const slowBeforeCloud = [...slow, cloud];

  it.each([
    { patienceSeconds: 40, wakeInMs: 40_000, streams: true, isHeld: true },
    { patienceSeconds: 40, wakeInMs: 40_001, streams: true, isHeld: false },
    { patienceSeconds: 120, wakeInMs: 90_000, streams: true, isHeld: true },
    { patienceSeconds: 120, wakeInMs: 90_000, streams: false, isHeld: false },
    { patienceSeconds: 120, wakeInMs: 50_000, streams: false, isHeld: true },
    { patienceSeconds: 10, wakeInMs: 20_000, streams: false, isHeld: false },
    { patienceSeconds: 0, wakeInMs: 1_000, streams: true, isHeld: false },
    { patienceSeconds: 10, wakeInMs: null, streams: false, isHeld: true },
  ])(
    'at most what the request may wait: $wakeInMs ms of $patienceSeconds s, streamed: $streams',
    ({ patienceSeconds, wakeInMs, streams, isHeld }) => {
      const hints = { ...STREAM, streams };
      const groups = [replicasOf(asleep('a', { wakeInMs }))];
      expect(told(decide(groups, { patienceSeconds, hints }))).toBe(isHeld ? HELD : 'wake a, refuse: waking');
      expect(told(decide([...groups, cloud], { patienceSeconds, hints }))).toBe(isHeld ? HELD : MEANWHILE);
    },
  );

  it('counts what was waited already', () => {
    expect(told(decide(alone, { waitedMs: 10_000 }))).toBe(HELD);
    expect(told(decide(alone, { waitedMs: 10_001 }))).toBe('wake a, refuse: waking');
  });

  it('counts what the client asks for', () => {
    expect(told(decide(alone, { maxWaitMs: 39_000 }))).toBe('wake a, refuse: waking');
    expect(told(decide(alone, { maxWaitMs: 0 }))).toBe('wake a, refuse: waking');
    expect(decide(alone, { maxWaitMs: 41_000 })).toMatchObject({ kind: 'wakeThenWait', patienceMs: 41_000 });
  });

  it('is the patience of a request that is not streamed, and no more', () => {
    const hints = { ...STREAM, streams: false };
    expect(decide(alone, { patienceSeconds: 120, hints })).toMatchObject({ patienceMs: 50_000 });
  });

  it('is nothing where patience is over: the wake goes on for the next', () => {
    expect(told(decide(slow, { mayWait: false }))).toBe('wake a, refuse: waking');
    expect(told(decide(slowBeforeCloud, { mayWait: false }))).toBe(MEANWHILE);
  });

  it('is told by the soonest of those that sleep, or by the wake that is under way', () => {
    const quick = asleep('b', { wakeInMs: 20_000 });
    expect(told(decide([replicasOf(asleep('a', { wakeInMs: 90_000 }), quick)]))).toBe(
      'wake a+b, wait: waking',
    );
    const underWay = waking('a', { wakeInMs: 90_000 });
    expect(told(decide([replicasOf(underWay, quick)], { wakes: 'no_other' }))).toBe(
      'wake a+b, refuse: waking',
    );
  });

  describe('where the wake that is under way comes too late, and another host would not', () => {
    const fetching = waking('a', { wakeInMs: 900_000 });
    const quick = asleep('b', { wakeInMs: 20_000 });
    const both = [replicasOf(fetching, quick)];
    const BOTH_HELD = 'wake a+b, wait: waking';

    it('is that other one’s, which is asked for within what the request may wait', () => {
      const decision = decide(both, { waitedMs: 10_000 });
      expect(told(decision)).toBe(BOTH_HELD);
      expect(decision).toMatchObject({ wakesAnother: true, wakeWithinMs: 40_000, waitsFor: ['a', 'b'] });
      expect((decision as { detail: string }).detail).toMatch(/^b: /);
      expect(told(decide([...both, cloud]))).toBe(BOTH_HELD);
    });

    it('is too late where the fleet wakes no other', () => {
      expect(told(decide(both, { wakes: 'no_other' }))).toBe('wake a+b, refuse: waking');
      expect(told(decide([...both, cloud], { wakes: 'no_other' }))).toBe(
        'wake a+b, cloud: cloud_while_waking',
      );
    });

    it.each<[string, Asked, ReplicaCandidate]>([
      ['its key may not wake', { wakes: 'key_forbids' }, quick],
      ['it is of class batch', { requestClass: 'batch' }, quick],
      ['the other comes too late as well', {}, asleep('b', { wakeInMs: 50_001 })],
      ['the other is hardly sooner', { patienceSeconds: 899 }, asleep('b', { wakeInMs: 841_000 })],
      ['nothing is known of the other', {}, asleep('b', { wakeInMs: null })],
      ['the other is on its way too', {}, waking('b', { wakeInMs: 60_000 })],
    ])('is too late where %s', (_, asked, other) => {
      expect(told(decide([replicasOf(fetching, other)], asked))).toMatch(/refuse: waking$/);
    });

    it('is not asked for while the first is in time', () => {
      const inTime = [replicasOf(waking('a', { wakeInMs: 45_000 }), quick)];
      expect(decide(inTime)).toMatchObject({ kind: 'wakeThenWait', wakesAnother: false });
    });

    it('is asked for by who waits already for one that is late', () => {
      const late = waking('a', { wakeInMs: 300_000, isWakeLate: true });
      expect(decide([replicasOf(late, quick)], { waitedMs: 20_000 })).toMatchObject({ wakesAnother: true });
      expect(told(decide([replicasOf(late, quick)], { waitedMs: 20_000, wakes: 'no_other' }))).toBe(
        BOTH_HELD,
      );
    });
  });

  it('is not asked by those who wait already for a wake that takes longer than usual', () => {
    const late = [replicasOf(waking('a', { wakeInMs: 30_000, isWakeLate: true }))];
    expect(told(decide(late, { waitedMs: 49_000 }))).toBe(HELD);
    expect(told(decide(late, { waitedMs: 50_000 }))).toBe('wake a, refuse: waking');
  });

  it('is told honestly to those who come when a wake is late', () => {
    const late = [replicasOf(waking('a', { wakeInMs: 60_000, isWakeLate: true }))];
    expect(decide(late)).toMatchObject({ kind: 'refuse', code: 'waking', retryAfterSeconds: 60 });
    expect(told(decide([...late, cloud]))).toBe(MEANWHILE);
  });
});

describe('a wake that is under way', () => {
  const up = powerOf({ state: 'waking', flight: flightOf({ phase: 'engine_up' }) });
  const groups = [replicasOf(waking())];

  it.each<WakePermit>(['key_forbids', 'in_vain'])(
    'may be waited for by who may wake nobody (%s)',
    (wakes) => {
      expect(told(decide(groups, { wakes }))).toBe('wait: waking');
      expect(told(decide(groups, { wakes, onAsleep: 'cloud' }))).toBe('wait: waking');
      expect(told(decide([...groups, cloud], { wakes }))).toBe('wait: waking');
      expect(told(decide([...groups, cloud], { wakes, onAsleep: 'cloudThenLocal' }))).toBe(FALLBACK);
    },
  );

  it('may be waited for by a batch', () => {
    expect(told(decide(groups, { requestClass: 'batch' }))).toBe('wait: waking');
  });

  it('is joined by who may wake', () => {
    expect(told(decide(groups))).toBe(HELD);
  });

  it('is refused with its end by a role that refuses', () => {
    expect(told(decide(groups, { onAsleep: 'refuse' }))).toBe('refuse: waking');
    expect(told(decide([...groups, cloud], { onAsleep: 'refuse' }))).toBe('refuse: waking');
  });

  it.each<{ of: string; parts: Parts }>([
    { of: 'its host is away', parts: {} },
    { of: 'its host has never been seen since the start', parts: { presence: 'unseen' } },
    { of: 'its agent is back, its container not', parts: { presence: 'online', phase: 'absent' } },
    { of: 'its engine loads', parts: { presence: 'online', phase: 'loading' } },
    { of: 'its engine failed at first', parts: { presence: 'online', phase: 'failed' } },
    {
      of: 'its tunnel is not there yet',
      parts: { presence: 'online', noWay: { reason: 'tunnel_down' }, power: up },
    },
    { of: 'its host is late', parts: { presence: 'late' } },
    { of: 'its breaker is still open', parts: { presence: 'online', blockedForMs: 3_000, power: up } },
  ])('is waited for while $of', ({ parts }) => {
    const then = [replicasOf(waking('a', { presence: 'away', ...parts }))];
    expect(told(decide(then))).toBe(HELD);
    expect(told(decide([...then, cloud], { onAsleep: 'cloudThenLocal' }))).toBe(MEANWHILE);
    expect(told(decide([...then, cloud], { onAsleep: 'cloud' }))).toBe(FALLBACK);
  });

  it('goes on for a request that its engine did not take, and is looked at again by and by', () => {
    const tried = [replicasOf(waking('a', { presence: 'online', power: up }))];
    const excluded = new Set(['a']);
    expect(told(decide(tried, { excluded }))).toBe(HELD);
    expect(decide(tried, { excluded })).toMatchObject({ lookAgainInMs: 4_000 });
    expect(told(decide([...tried, cloud], { excluded, onAsleep: 'cloudThenLocal' }))).toBe(MEANWHILE);
  });

  it('is waited for by a role that refuses once its host is back', () => {
    const back = [replicasOf(waking('a', { presence: 'online', phase: 'loading' }))];
    expect(told(decide(back, { onAsleep: 'refuse' }))).toBe('wait: waking');
  });

  it('ends with the model that is ready', () => {
    const power = (phase: WakePhase) => powerOf({ state: 'waking', flight: flightOf({ phase }) });
    for (const phase of ['engine_up', 'model_ready'] as const) {
      expect(told(decide([replicasOf(replicaOf('a', { power: power(phase) }))]))).toBe('send a');
    }
    for (const phase of ['packet_sent', 'answers', 'agent_back'] as const) {
      const asItWasBefore = replicaOf('a', { power: power(phase) });
      expect(told(decide([replicasOf(asItWasBefore)]))).toBe(HELD);
    }
  });

  it('does not hide that the model is full', () => {
    const power = powerOf({ flight: flightOf({ phase: 'engine_up' }) });
    expect(told(decide([replicasOf(replicaOf('a', { power, inflight: 4 }))]))).toBe('wait: full');
  });

  it('tells how far it is', () => {
    expect(decide(groups)).toMatchObject({
      detail: 'a: host host-of-a is being woken (packet sent 3 s ago; model ready in about 37 s)',
    });
  });
});

describe('nobody is woken', () => {
  it.each<{ of: string; other: Parts; expected: string }>([
    { of: 'serves', other: {}, expected: 'send b' },
    { of: 'is full', other: { inflight: 4 }, expected: 'wait: full' },
    { of: 'loads', other: { phase: 'loading' }, expected: 'wait: loading' },
    { of: 'has just fallen silent', other: { presence: 'late' }, expected: 'wait: silent' },
  ])('while another one $of', ({ other, expected }) => {
    expect(told(decide([replicasOf(asleep(), replicaOf('b', other))]))).toBe(expected);
  });

  it('for want of a slot, where there is no patience either', () => {
    const groups = [replicasOf(asleep(), replicaOf('b', { inflight: 4 }))];
    expect(told(decide(groups, { patienceSeconds: 0 }))).toBe('refuse: no_capacity');
    expect(told(decide([...groups, cloud], { patienceSeconds: 0 }))).toBe(FALLBACK);
  });

  it('that stands behind a provider that serves', () => {
    expect(told(decide([cloud, replicasOf(asleep())]))).toBe('cloud: only_candidate');
  });

  it('but for what is broken and nothing is expected of', () => {
    const broken = replicaOf('b', { phase: 'failed', phaseForMs: 60_000 });
    expect(told(decide([replicasOf(broken, asleep())]))).toBe(HELD);
    expect(told(decide([replicasOf(replicaOf('b', { draining: true }), asleep())]))).toBe(HELD);
  });
});

describe('a host that is about to sleep', () => {
  const draining = powerOf({
    state: 'online',
    goingToSleep: { action: 'suspend', phase: 'draining', sinceMs: 0, reason: 'idle for 20 min' },
  });
  const leaving = replicaOf('a', { power: draining, wakeInMs: 0 });

  it('gets nothing new while another one serves', () => {
    expect(told(decide([replicasOf(leaving, replicaOf('b'))]))).toBe('send b');
  });

  it('is called back by who has nowhere else to go', () => {
    expect(told(decide([replicasOf(leaving)]))).toBe(HELD);
    expect(told(decide([replicasOf(leaving), cloud], { onAsleep: 'cloudThenLocal' }))).toBe(MEANWHILE);
  });

  it('is not called back by who wakes nobody', () => {
    const decision = decide([replicasOf(leaving)], { requestClass: 'batch' }) as Refusal;
    expect(told(decision)).toBe('refuse: host_asleep');
    expect(decision.detail).toContain(
      'host host-of-a is about to sleep; a request of class batch wakes nobody',
    );
  });
});

describe('a provider that is asked where others take longer', () => {
  const groups = (wakeInMs: number): CandidateGroup[] => [
    replicasOf(asleep('a', { wakeInMs })),
    { ...cloud, opensAfterSeconds: 10 },
  ];

  it('is asked where a wake takes longer, and the wake is for the next', () => {
    expect(told(decide(groups(40_000)))).toBe(MEANWHILE);
  });

  it('is not where the wake is sooner', () => {
    expect(told(decide(groups(8_000)))).toBe(HELD);
  });
});

describe('the refusal', () => {
  it('of one that may not wait tells when the wake will be over, and what is woken', () => {
    const decision = decide([replicasOf(asleep('a', { wakeInMs: 94_300 }))]);
    expect(decision).toEqual({
      kind: 'refuse',
      code: 'waking',
      wake: ['a'],
      wakeWithinMs: 50_000,
      retryAfterSeconds: 95,
      detail:
        'role chat-deep: its host is being woken, ready in about 95 s (a: host host-of-a is asleep, ready 95 s after a wake)',
      considered: [{ target: 'a', verdict: 'host_asleep', costSeconds: null }],
    });
  });

  it.each([
    { wakeInMs: null, expected: 30 },
    { wakeInMs: 0, expected: 5 },
    { wakeInMs: 100_000_000, expected: 600 },
  ])('says to come again within bounds: $wakeInMs ms', ({ wakeInMs, expected }) => {
    const decision = decide([replicasOf(asleep('a', { wakeInMs }))], { mayWait: false });
    expect(decision).toMatchObject({ code: 'waking', retryAfterSeconds: expected });
  });

  it.each<{ asked: Asked; why: string }>([
    { asked: { onAsleep: 'refuse' }, why: "the role's onAsleep: refuse wakes nobody" },
    { asked: { onAsleep: 'cloud' }, why: "the role's onAsleep: cloud wakes nobody" },
    { asked: { wakes: 'key_forbids' }, why: 'this key may not wake it' },
    { asked: { requestClass: 'batch' }, why: 'a request of class batch wakes nobody' },
  ])('of one that nobody is woken for says why: $why', ({ asked, why }) => {
    const decision = decide(alone, asked) as Refusal;
    expect(decision).toMatchObject({ code: 'host_asleep', retryAfterSeconds: 60 });
    expect(decision.detail).toBe(`role chat-deep: its host is asleep (a: host host-of-a is asleep; ${why})`);
  });

  it('does not say that a host sleeps of which nobody knows', () => {
    const off = asleep('a', { power: powerOf({ state: 'offline' }) });
    const decision = decide([replicasOf(off)], { wakes: 'not_asked' }) as Refusal;
    expect(decision.detail).toContain('host host-of-a is asleep or off, ready 40 s after a wake');
  });
});

describe('a host that came up and stands at its login screen', () => {
  const kept = deploymentEntrySchema.parse({
    ...{ engine: 'vllm', host: 'wintermute', task: 'chat', model: 'Qwen/Qwen2.5-3B-Instruct' },
  });
  const atLogin: ReplicaCandidate = {
    ...replicaOf('a', { phase: 'failed', phaseForMs: 100, needsSignIn: true, power: powerOf() }),
    deployment: buildDeployment('a', kept) as ReplicaCandidate['deployment'],
  };

  it('is waited for no more', () => {
    const decision = decide([replicasOf(atLogin)]) as Refusal;
    expect(told(decision)).toBe('refuse: not_ready');
    expect(decision.detail).toContain(
      'its replica on wintermute cannot start before somebody signs in there',
    );
    expect(told(decide([replicasOf(atLogin), cloud]))).toBe(FALLBACK);
    expect(told(decide([replicasOf({ ...atLogin, needsSignIn: false })]))).toBe('wait: loading');
  });

  it('has another one woken', () => {
    expect(told(decide([replicasOf(atLogin, asleep('b'))]))).toBe('wake b, wait: waking');
  });
});

describe('readyAfterWakeMs', () => {
  it.each<{ of: string; groups: CandidateGroup[]; expected: number | null }>([
    { of: 'one that sleeps', groups: alone, expected: 40_000 },
    {
      of: 'the sooner of two',
      groups: [replicasOf(asleep(), asleep('b', { wakeInMs: 9_000 }))],
      expected: 9_000,
    },
    {
      of: 'a wake under way',
      groups: [replicasOf(waking(), asleep('b', { wakeInMs: 9_000 }))],
      expected: 37_000,
    },
    {
      of: 'one that sleeps beside a wake that comes far later',
      groups: [replicasOf(waking('a', { wakeInMs: 69_000 }), asleep('b', { wakeInMs: 9_000 }))],
      expected: 9_000,
    },
    { of: 'one that is awake', groups: [replicasOf(replicaOf('a', { wakeInMs: 9_000 }))], expected: null },
    { of: 'one that cannot be woken', groups: [replicasOf(hopeless())], expected: null },
    { of: 'a provider', groups: [cloud], expected: null },
  ])('of $of', ({ groups, expected }) => {
    expect(readyAfterWakeMs(groups)).toBe(expected);
  });
});
