import { beforeEach, describe, expect, it } from 'vitest';
import type { RequestClass } from '../declared/request-class.js';
import type { AttemptOutcome, Claim, HeldRequest, RouteRequest, WaitDecision } from './route-types.js';
import { type FakeFabric, fabricOf } from './testing/fake-fabric.js';
import { deploymentOf, requestOf, roleOf, stateOf } from './testing/router-fixtures.js';
import { resolved } from './testing/router-moves.js';

const deployments = ['a', 'b'].map((name) => deploymentOf(name, { maxConcurrent: 16 }));
const pair = stateOf({ deployments, roles: [roleOf('chat-fast', ['a', 'b'])] });
const hasty = stateOf({
  deployments,
  roles: [roleOf('chat-fast', ['a', 'b'], { patienceSeconds: 0 })],
});
const whole: AttemptOutcome = { kind: 'succeeded', promptTokens: 1_000, completionTokens: 50 };

/** A request with a prompt of some thousand tokens, as the gateway makes one. */
class Client implements HeldRequest {
  readonly role = 'chat-fast';
  readonly bytes = 100;
  readonly requestClass: RequestClass;
  readonly patienceEndsAtMs: number;
  claim: Claim | null = null;
  wait: WaitDecision | null = null;
  isHeld = false;
  isOver = false;
  looks = 0;
  readonly key: string;
  readonly #fabric: FakeFabric;
  readonly #request: Partial<RouteRequest>;

  constructor(fabric: FakeFabric, key = 'notes', promptBytes = 4_200, more: Partial<RouteRequest> = {}) {
    this.key = key;
    this.requestClass = more.requestClass ?? 'normal';
    this.#fabric = fabric;
    this.patienceEndsAtMs = fabric.clock.monotonicMs() + 50_000;
    this.#request = { mayWait: true, hints: { key, promptBytes, streams: true, choices: 1 }, ...more };
    this.wait = this.lookAgain();
    if (this.wait !== null) this.isHeld = fabric.router.hold(this, this.wait) !== null;
  }

  get target(): string | undefined {
    return this.claim?.target;
  }

  lookAgain(): WaitDecision | null {
    this.looks += 1;
    const request = requestOf({ resolved: resolved(this.#fabric), ...this.#request });
    const decision = this.#fabric.router.select(request);
    if (decision.kind === 'wait' || decision.kind === 'wakeThenWait') return decision;
    if (decision.kind !== 'refuse') this.claim = this.#fabric.router.claim(decision, request);
    return null;
  }

  patienceOver(): void {
    this.isOver = true;
  }

  displaced(): void {
    this.isOver = true;
  }
}

const settled = (): Promise<void> => Promise.resolve();

describe('a prompt, while every replica reads another', () => {
  let fabric: FakeFabric;
  let first: Client;
  let second: Client;

  beforeEach(() => {
    fabric = fabricOf(pair);
    first = new Client(fabric);
    second = new Client(fabric);
    expect(new Set([first.target, second.target])).toEqual(new Set(['a', 'b']));
  });

  it('waits in the router, and goes to whoever has read its own first', async () => {
    const third = new Client(fabric);
    expect(third.wait).toMatchObject({ reason: 'paced', waitsFor: ['a', 'b'] });
    second.claim?.answered();
    await settled();
    expect(third.target).toBe(second.target);
  });

  it('is no reason for a count of tokens to wait, which leaves nothing to read behind', async () => {
    const backlogs = () => [...fabric.router.gauges().targets].map(({ pace }) => pace?.backlogTokens);
    const before = backlogs();
    const count = new Client(fabric, 'notes', 4_200, { endpoint: 'count_tokens' });
    expect(count.target).toBeDefined();
    expect(backlogs()).toEqual(before);
    count.claim?.release({ kind: 'succeeded', promptTokens: 0, completionTokens: 0 });
    expect(new Client(fabric).wait).toMatchObject({ reason: 'paced' });
  });

  it('waits for one at a time: each first token lets one go, in turns of keys', async () => {
    const waiting = ['greedy', 'greedy', 'modest'].map((key) => new Client(fabric, key));
    first.claim?.answered();
    await settled();
    expect(waiting.map(({ target }) => target !== undefined)).toEqual([true, false, false]);
    waiting[0]?.claim?.answered();
    await settled();
    expect(waiting.map(({ target }) => target !== undefined)).toEqual([true, false, true]);
  });

  it('goes when the one that was read breaks off', async () => {
    const third = new Client(fabric);
    first.claim?.release({ kind: 'neutral' });
    await settled();
    expect(third.target).toBe(first.target);
  });

  it('does not overtake those who wait, short as it may be, and follows them', async () => {
    const third = new Client(fabric);
    const short = new Client(fabric, 'other', 40);
    expect(short.wait).toMatchObject({ reason: 'paced' });
    first.claim?.answered();
    await settled();
    expect(third.target).toBe(first.target);
    expect(short.target).toBeUndefined();
    second.claim?.answered();
    await settled();
    expect(short.target).toBe(second.target);
  });

  it('goes ahead of the less urgent as often as its class has turns for theirs, and not for good', async () => {
    // Both have little to read: a short prompt may go there, and a long one not yet.
    const light = fabricOf(pair);
    for (const key of ['one', 'other']) new Client(light, key, 1_680);
    const batch = new Client(light, 'nightly', 4_200, { requestClass: 'batch' });
    expect(batch.wait).toMatchObject({ reason: 'paced' });
    const urgent = () => new Client(light, 'person', 20, { requestClass: 'interactive' });
    const ahead = Array.from({ length: 10 }, urgent);
    expect(ahead.map(({ target }) => target !== undefined)).toEqual([
      ...Array<boolean>(8).fill(true),
      ...[false, false],
    ]);
    expect(new Client(light, 'other', 20, { requestClass: 'batch' }).target).toBeUndefined();
  });

  it('goes at once where it may not wait', () => {
    expect(new Client(fabric, 'check', 4_200, { mayWait: false }).target).toBeDefined();
    fabric.declared.replace({ ...hasty, revision: 2 });
    expect(new Client(fabric).target).toBeDefined();
  });

  it('goes at once where it is for embeddings, which have no first token', () => {
    const embeddings = fabricOf(
      stateOf({
        deployments: [deploymentOf('a', { task: 'embeddings', maxConcurrent: 16 })],
        roles: [roleOf('chat-fast', ['a'], { task: 'embeddings' })],
      }),
    );
    for (let request = 0; request < 8; request += 1) {
      expect(new Client(embeddings, 'notes', 40_000, { task: 'embeddings' }).target).toBe('a');
    }
  });

  it('looks again by itself when a whole answer’s prompt should be read', async () => {
    const quiet = fabricOf(pair);
    const hints = { key: 'notes', promptBytes: 4_200, streams: false, choices: 1 };
    const [one, other] = [new Client(quiet, 'notes', 0, { hints }), new Client(quiet, 'notes', 0, { hints })];
    const third = new Client(quiet);
    expect([one.isHeld, other.isHeld, third.isHeld]).toEqual([false, false, true]);
    for (let passed = 0; passed < 20 && third.claim === null; passed += 1) {
      quiet.clock.advance(100);
      await settled();
    }
    expect(third.target).toBeDefined();
    expect(quiet.clock.monotonicMs()).toBeLessThan(2_000);
  });

  it('is looked at when something is expected, however many wait behind it', async () => {
    const waiting = Array.from({ length: 30 }, () => new Client(fabric));
    const before = waiting.map(({ looks }) => looks);
    expect(before).toEqual(waiting.map(() => 1));
    for (let passed = 0; passed < 200; passed += 1) {
      fabric.clock.advance(9);
      await settled();
    }
    const looks = waiting.reduce((sum, each) => sum + each.looks, 0) - waiting.length;
    expect(looks).toBeGreaterThan(0);
    expect(looks).toBeLessThan(10);
  });

  it('does not wait for ever for engines that hang', async () => {
    const third = new Client(fabric);
    for (let passed = 0; passed < 50 && third.claim === null; passed += 1) {
      fabric.clock.advance(100);
      await settled();
    }
    expect(third.isOver).toBe(false);
    expect(third.target).toBeDefined();
  });
});

it('short prompts are not held back', () => {
  const fabric = fabricOf(pair);
  const clients = Array.from({ length: 20 }, () => new Client(fabric, 'notes', 40));
  expect(clients.every(({ target }) => target !== undefined)).toBe(true);
});

it('a replica that answers three times as fast gets most of the prompts once that is known', async () => {
  const fabric = fabricOf(pair);
  const shares = new Map<string, number>();
  const secondsOf = (target: string): number => (target === 'a' ? 0.2 : 0.6);
  for (let round = 0; round < 120; round += 1) {
    const client = new Client(fabric);
    const target = client.target ?? 'held';
    if (round >= 40) shares.set(target, (shares.get(target) ?? 0) + 1);
    fabric.clock.advance(secondsOf(target) * 1000);
    client.claim?.answered();
    client.claim?.progressed(50);
    fabric.clock.advance(secondsOf(target) * 2_500);
    client.claim?.release(whole);
    await settled();
  }
  expect(shares.get('a') ?? 0).toBeGreaterThan(75);
});
