import { describeReplica, type ExternalReplica, replicaStatusSchema } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyLook } from './apply-look.js';
import { replicaIssues, replicaStatus } from './describe-replica.js';
import { planReplicaStep } from './plan-replica-step.js';
import {
  type ExternalPhase,
  type LookResult,
  newObservation,
  type ObservedReplica,
} from './replica-observation.js';

const desired: ExternalReplica = {
  deployment: 'qwen-armitage',
  task: 'chat',
  engine: 'external',
  url: 'http://127.0.0.1:8000',
  servedModel: 'qwen',
};
const at = (phase: ExternalPhase, changed: Partial<ObservedReplica> = {}): ObservedReplica => ({
  ...newObservation(0),
  phase,
  detail: phase === 'ready' ? null : 'why',
  ...changed,
});
const ready = at('ready', { engineVersion: '0.32.0', maxModelLen: 8_192 });

const listed: LookResult = {
  kind: 'models',
  models: [{ id: 'qwen', maxModelLen: 8_192 }],
  engineVersion: '0.32.0',
};
const otherModel: LookResult = {
  kind: 'models',
  models: [{ id: 'llama', maxModelLen: null }],
  engineVersion: null,
};
const results = {
  listed,
  otherModel,
  healthy: { kind: 'healthy' },
  proved: { kind: 'proved' },
  proofFailed: { kind: 'proof_failed', detail: 'no token' },
  full: { kind: 'full', detail: 'queue full' },
  refused: { kind: 'refused', detail: 'refuses connections' },
  silent: { kind: 'silent', detail: 'no answer' },
  odd: { kind: 'odd', detail: 'answered 500' },
} satisfies Record<string, LookResult>;

const look = (observed: ObservedReplica, result: LookResult, nowMs = 1_000): ObservedReplica =>
  applyLook(desired, observed, result, nowMs, cadence);

const cadence = { lookMs: 1_000, readyLookMs: 5_000 };

describe('what is done next', () => {
  test.each<[ExternalPhase, string]>([
    ['starting', 'list_models'],
    ['loading', 'list_models'],
    ['warming', 'prove'],
    ['failed', 'prove'],
    ['ready', 'check_health'],
  ])('%s: %s', (phase, step) => {
    expect(planReplicaStep(desired, at(phase), 0).kind).toBe(step);
  });

  test('nothing before its time', () => {
    expect(planReplicaStep(desired, at('ready', { nextLookMs: 500 }), 499)).toEqual({
      kind: 'wait',
      untilMs: 500,
    });
  });

  test('the proof asks for the deployment’s own task and model', () => {
    const embedding = { ...desired, task: 'embeddings', servedModel: 'bge' } as const;
    expect(planReplicaStep(embedding, at('warming'), 0)).toEqual({
      kind: 'prove',
      task: 'embeddings',
      model: 'bge',
    });
  });

  test.each<ExternalPhase>(['ready', 'failed'])(
    'a %s engine is asked once a minute what it serves',
    (phase) => {
      const observed = at(phase, { modelsListedAtMs: 0, nextLookMs: 0 });
      expect(planReplicaStep(desired, observed, 59_999).kind).not.toBe('list_models');
      expect(planReplicaStep(desired, observed, 60_000).kind).toBe('list_models');
    },
  );
});

describe('where a look leads', () => {
  test.each<[ExternalPhase, keyof typeof results, ExternalPhase]>([
    ['starting', 'refused', 'starting'],
    ['starting', 'silent', 'starting'],
    ['starting', 'odd', 'loading'],
    ['starting', 'otherModel', 'loading'],
    ['starting', 'listed', 'warming'],
    ['loading', 'refused', 'starting'],
    ['loading', 'silent', 'starting'],
    ['loading', 'odd', 'loading'],
    ['loading', 'otherModel', 'loading'],
    ['loading', 'listed', 'warming'],
    ['warming', 'proved', 'ready'],
    ['warming', 'full', 'warming'],
    ['warming', 'proofFailed', 'failed'],
    ['warming', 'refused', 'starting'],
    ['failed', 'proved', 'ready'],
    ['failed', 'proofFailed', 'failed'],
    ['failed', 'full', 'failed'],
    ['failed', 'refused', 'starting'],
    ['failed', 'listed', 'failed'],
    ['failed', 'otherModel', 'loading'],
    ['ready', 'healthy', 'ready'],
    ['ready', 'listed', 'ready'],
    ['ready', 'otherModel', 'loading'],
    ['ready', 'refused', 'starting'],
    ['ready', 'silent', 'ready'],
    ['ready', 'odd', 'ready'],
  ])('%s, %s: %s', (phase, result, next) => {
    expect(look(at(phase), results[result]).phase).toBe(next);
  });

  test('a start is told with what the engine is', () => {
    const warming = look(at('starting'), listed);
    expect(warming).toMatchObject({ engineVersion: '0.32.0', maxModelLen: 8_192, nextLookMs: 1_000 });
    expect(replicaStatus(desired, look(warming, results.proved))).toEqual(
      describeReplica({
        ...{ deployment: 'qwen-armitage', phase: 'ready', engineVersion: '0.32.0', maxModelLen: 8_192 },
      }),
    );
  });

  test('an engine that refuses is another when it comes back: nothing is kept of it', () => {
    expect(look(ready, results.refused)).toMatchObject({
      phase: 'starting',
      engineVersion: null,
      maxModelLen: null,
    });
  });

  test.each<['silent' | 'odd', ExternalPhase]>([
    ['silent', 'starting'],
    ['odd', 'loading'],
  ])('a ready engine may be %s twice, not three times in a row', (kind, next) => {
    let observed = look(look(ready, results[kind]), results[kind]);
    expect(observed.phase).toBe('ready');
    expect(look(observed, results[kind]).phase).toBe(next);
    observed = look(observed, results.healthy);
    expect(look(look(observed, results[kind]), results[kind]).phase).toBe('ready');
  });

  test.each(['healthy', 'listed'] as const)(
    'a ready engine that is %s is left alone for a while',
    (result) => {
      expect(look(ready, results[result]).nextLookMs).toBe(6_000);
    },
  );

  test('one miss is looked into at once', () => {
    expect(look(ready, results.silent, 1_000).nextLookMs).toBe(1_250);
  });

  test('a model that is not listed is named, with what is', () => {
    expect(look(at('starting'), otherModel).detail).toBe(
      'The engine answers, but does not serve qwen: it lists llama.',
    );
  });

  test('failed proofs are tried again ever more rarely, and at least every two minutes', () => {
    let observed = at('warming');
    const waits: number[] = [];
    for (let failure = 0; failure < 12; failure += 1) {
      observed = look(observed, results.proofFailed, 0);
      waits.push(observed.nextLookMs);
    }
    expect(waits.slice(0, 5)).toEqual([5_000, 10_000, 20_000, 40_000, 80_000]);
    expect(new Set(waits.slice(5))).toEqual(new Set([120_000]));
    expect(look(observed, results.proved).failedProofs).toBe(0);
  });

  test('an engine that is not there is looked for each second at first, and every five later', () => {
    const starting = at('starting', { sinceMs: 0 });
    expect(look(starting, results.refused, 119_999).nextLookMs).toBe(120_999);
    expect(look(starting, results.refused, 120_000).nextLookMs).toBe(125_000);
  });
});

describe('what an operator is told', () => {
  test.each<[ExternalPhase, number, string | null]>([
    ['starting', 59_999, null],
    ['starting', 60_000, 'engine_unreachable'],
    ['loading', 14_999, null],
    ['loading', 15_000, 'engine_model_missing'],
    ['warming', 999_999, null],
    ['failed', 0, 'engine_proof_failed'],
    ['ready', 999_999, null],
  ])('%s for %i ms: %s', (phase, nowMs, code) => {
    const issues = replicaIssues(desired, at(phase), nowMs);
    expect(issues.map((issue) => issue.code)).toEqual(code === null ? [] : [code]);
    for (const issue of issues) {
      expect(issue).toMatchObject({ subject: 'qwen-armitage', detail: 'why', fix: expect.any(String) });
    }
  });

  test('a failed replica carries its code', () => {
    expect(replicaStatus(desired, at('failed')).code).toBe('engine_proof_failed');
  });
});

test('whatever the looks bring, the status fits the wire, the next look comes and a ready replica was proved', () => {
  const result = fc.oneof(
    fc.constantFrom<LookResult>(...Object.values(results)),
    fc.string({ maxLength: 900 }).map((detail): LookResult => ({ kind: 'odd', detail })),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(result, fc.nat(200_000)), { maxLength: 60 }), (looks) => {
      let observed = newObservation(0);
      let nowMs = 0;
      for (const [brought, passedMs] of looks) {
        nowMs += passedMs;
        const before = observed.phase;
        observed = applyLook(desired, observed, brought, nowMs, cadence);
        expect(observed.nextLookMs).toBeGreaterThanOrEqual(brought.kind === 'full' ? nowMs + 1 : nowMs);
        expect(observed.nextLookMs).toBeLessThanOrEqual(nowMs + 120_000);
        expect(replicaStatusSchema.safeParse(replicaStatus(desired, observed)).success).toBe(true);
        if (observed.phase === 'ready' && before !== 'ready') expect(brought.kind).toBe('proved');
        nowMs = Math.max(nowMs, observed.nextLookMs);
        expect(planReplicaStep(desired, observed, nowMs).kind).not.toBe('wait');
      }
    }),
  );
});
