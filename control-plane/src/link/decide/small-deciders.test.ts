import { type Command, desiredReplicaSchema, PROTOCOL_VERSION } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFabricValue } from '../../declared/check-fabric-value.js';
import { declaredOf } from '../../live/testing/live-fixtures.js';
import { MAX_SAMPLE_AGE_MS, placeSample } from './place-sample.js';
import { MAX_DESIRED_REPLICAS, planDesired } from './plan-desired.js';
import { fullBucket, takeToken } from './take-token.js';
import { addCommand, expireCommands, type PendingCommands, settleCommand } from './track-commands.js';

describe('placing a sample', () => {
  const received = 1_700_000_000_000;

  it.each([
    ['just taken', 0],
    ['a second old', 1_000],
    ['an hour old', 3_600_000],
  ])('that is %s puts it that far back, whatever the agent’s clock shows', (_, ageMs) => {
    for (const skewMs of [0, 3_600_000, -3_600_000, -received, 1e15]) {
      const sentAtMs = received - skewMs;
      expect(placeSample(received, sentAtMs, sentAtMs - ageMs)).toBe(received - ageMs);
    }
  });

  it('that was taken after it was sent puts it now', () => {
    expect(placeSample(received, 1_000, 5_000)).toBe(received);
  });

  it('never puts one in the future, nor more than a week back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (sentAtMs, atMs) => {
        const placed = placeSample(received, sentAtMs, atMs);
        if (placed === null) return;
        expect(placed).toBeLessThanOrEqual(received);
        expect(placed).toBeGreaterThanOrEqual(received - MAX_SAMPLE_AGE_MS);
      }),
    );
  });

  it('of an age that cannot be places it nowhere', () => {
    expect(placeSample(received, received, received - MAX_SAMPLE_AGE_MS - 1)).toBeNull();
    expect(placeSample(received, 1.7e308, -1.7e308)).toBeNull();
  });
});

describe('a budget', () => {
  const policy = { burst: 3, perSecond: 2 };

  it('gives its burst, then what time brings, and no more than its burst', () => {
    let bucket = fullBucket(policy, 0);
    const taken: boolean[] = [];
    for (const nowMs of [0, 0, 0, 0, 499, 500, 500, 100_000, 100_000, 100_000, 100_000]) {
      const step = takeToken(bucket, policy, 1, nowMs);
      bucket = step.bucket;
      taken.push(step.ok);
    }
    expect(taken).toEqual([true, true, true, false, false, true, false, true, true, true, false]);
  });

  it('is not filled by a clock that stands or goes back', () => {
    const empty = { tokens: 0, atMs: 1_000 };
    expect(takeToken(empty, policy, 1, 1_000).ok).toBe(false);
    expect(takeToken(empty, policy, 1, -9_000).ok).toBe(false);
  });
});

describe('what a host is to keep', () => {
  it('is what is declared on it, and nothing of other hosts', () => {
    const { command, leftOut } = planDesired(
      declaredOf({ motoko: ['chat', 'embed'], armitage: ['deep'] }, 7),
      'motoko',
      PROTOCOL_VERSION,
    );
    expect(leftOut).toBe(0);
    expect(command.revision).toBe(7);
    expect(command.replicas[0]).toEqual({
      deployment: 'chat',
      task: 'chat',
      engine: 'external',
      url: 'http://127.0.0.1:8001',
      servedModel: 'model',
    });
    expect(command.replicas.map(({ deployment }) => deployment)).toEqual(['chat', 'embed']);
  });

  it('is said to a host with nothing on it too: it lets go of what it had', () => {
    expect(planDesired(declaredOf({}, 3), 'motoko', PROTOCOL_VERSION).command).toEqual({
      name: 'apply_desired',
      revision: 3,
      replicas: [],
    });
  });

  it('is told to an agent of an older protocol as far as it understands', () => {
    const declared = declaredOf({ motoko: ['chat', 'container', 'whisper'] });
    const [chat, container, whisper] = [...declared.deployments.values()];
    const check = checkFabricValue({
      ...{ version: 1, hosts: { motoko: null } },
      deployments: { container: { host: 'motoko', engine: 'vllm', preset: 'chat-fast' } },
    });
    const vllm = check.ok ? check.state.deployments.get('container') : undefined;
    if (!chat || !container || !whisper || !vllm) throw new Error('not declared');
    const mixed = {
      ...declared,
      deployments: new Map([
        ['chat', chat],
        ['container', vllm],
        ['whisper', { ...whisper, task: 'transcription' as const }],
      ]),
    };
    const names = (protocolVersion: number) =>
      planDesired(mixed, 'motoko', protocolVersion).command.replicas.map(({ deployment }) => deployment);
    expect(names(2)).toEqual(['chat']);
    expect(planDesired(mixed, 'motoko', 2).leftOut).toBe(2);
    expect(names(PROTOCOL_VERSION)).toEqual(['chat', 'container', 'whisper']);
    const { command } = planDesired(mixed, 'motoko', PROTOCOL_VERSION);
    expect(desiredReplicaSchema.safeParse(command.replicas[1]).data).toEqual(command.replicas[1]);
  });

  it('fits into one frame', () => {
    const names = Array.from({ length: MAX_DESIRED_REPLICAS + 2 }, (_, index) => `d${index}`);
    const planned = planDesired(declaredOf({ motoko: names }), 'motoko', PROTOCOL_VERSION);
    expect(planned.command.replicas).toHaveLength(MAX_DESIRED_REPLICAS);
    expect(planned.leftOut).toBe(2);
  });
});

describe('commands without an outcome', () => {
  const command: Command = { name: 'apply_desired', revision: 1, replicas: [] };
  const pending = (commandId: string, expiresAtMs = 100) => ({ commandId, command, expiresAtMs });
  const ids = (commands: PendingCommands) => commands.map(({ commandId }) => commandId);

  it('give way to a newer one that says all they did', () => {
    const first = addCommand([], pending('c1'));
    expect(ids(addCommand(first.pending, pending('c2')).pending)).toEqual(['c2']);
  });

  it('of deeds stand beside each other, and beside what is desired', () => {
    const deed: Command = { name: 'remove_orphans', containerIds: ['9a1b2c3d4e5f'] };
    const first = addCommand(addCommand([], pending('c1')).pending, { ...pending('c2'), command: deed });
    expect(ids(addCommand(first.pending, { ...pending('c3'), command: deed }).pending)).toEqual([
      'c1',
      'c2',
      'c3',
    ]);
  });

  it('are settled by their own outcome alone', () => {
    const outcome = { result: 'done', code: null, detail: null } as const;
    expect(settleCommand([pending('c1')], { ...outcome, commandId: 'c0' })).toEqual({
      pending: [pending('c1')],
      settled: null,
    });
    expect(settleCommand([pending('c1')], { ...outcome, commandId: 'c1' })).toEqual({
      pending: [],
      settled: pending('c1'),
    });
  });

  it('expire at their time', () => {
    const two = [pending('c1', 100), pending('c2', 200)];
    expect(ids(expireCommands(two, 99).expired)).toEqual([]);
    expect(ids(expireCommands(two, 100).expired)).toEqual(['c1']);
    expect(ids(expireCommands(two, 100).pending)).toEqual(['c2']);
  });

  it('are bounded, the oldest given up first', () => {
    // The wire has one command as yet: others are made up to fill the list.
    const others = Array.from({ length: 20 }, (_, index) => ({
      ...pending(`o${index}`),
      command: { ...command, name: `other${index}` } as unknown as Command,
    }));
    const full = others.reduce<PendingCommands>((all, next) => addCommand(all, next).pending, []);
    expect(full).toHaveLength(16);
    const { pending: after, dropped } = addCommand(full, pending('new'));
    expect(ids(dropped)).toEqual(['o4']);
    expect(after).toHaveLength(16);
    expect(ids(after).at(-1)).toBe('new');
  });
});
