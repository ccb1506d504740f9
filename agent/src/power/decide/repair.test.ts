import { type DesiredReplica, describeReplica, type Issue, type ReplicaStatus } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeLostCard } from './describe-lost-card.js';
import { type CardHealth, judgeRepair } from './judge-repair.js';
import { beginRepair, giveUpRepair, type RepairLook, type RepairState, stepRepair } from './step-repair.js';

const broken: CardHealth = { kind: 'broken', what: 'chat: gpu_not_in_container' };
const pending: CardHealth = { kind: 'pending' };
const well: CardHealth = { kind: 'well' };

/** Goes down the ladder; each look comes after `afterMs` on its rung. */
function descend(
  begun: RepairState,
  looks: readonly (Partial<RepairLook> & { afterMs?: number })[],
): string[] {
  let state = begun;
  return looks.map(({ afterMs = 20_000, ...look }) => {
    const nowMs = state.sinceMs + afterMs;
    const next = stepRepair(state, { nowMs, health: broken, canReload: true, mayReboot: true, ...look });
    state = next.state;
    return next.step.kind;
  });
}

describe('cards after a sleep', () => {
  it('are proven, and nothing is done', () => {
    expect(descend(beginRepair(false, 0), [{ health: pending }, { health: well }])).toEqual(['wait', 'done']);
  });

  it('are not judged by what was known before the sleep', () => {
    expect(descend(beginRepair(false, 0), [{ afterMs: 14_999 }, { health: well, afterMs: 5_000 }])).toEqual([
      ...['wait', 'wait'],
    ]);
  });

  it('are repaired by the cheapest that helps', () => {
    const all = [{}, {}, {}, {}, {}];
    expect(descend(beginRepair(false, 0), all)).toEqual(['restart', 'reload', 'reboot', 'wait', 'wait']);
    expect(descend(beginRepair(true, 0), [{}, { health: well }])).toEqual(['reload', 'done']);
  });

  it.each([
    [{ canReload: false, mayReboot: true }, ['restart', 'reboot', 'wait']],
    [{ canReload: true, mayReboot: false }, ['restart', 'reload', 'tell_lost']],
    [{ canReload: false, mayReboot: false }, ['restart', 'tell_lost', 'wait']],
  ])('are repaired by what the agent can and may: %j', (abilities, steps) => {
    expect(descend(beginRepair(false, 0), [abilities, abilities, abilities])).toEqual(steps);
  });

  it('that hang without a word are repaired too; engines that load have their time', () => {
    expect(descend(beginRepair(false, 0), [{ health: pending, afterMs: 90_000 }])).toEqual(['restart']);
    expect(descend(beginRepair(true, 0), [{ health: pending, afterMs: 900_000 }])).toEqual(['wait']);
  });

  it('that come back after they were given up are well', () => {
    const lost = giveUpRepair({ rung: 'rebooting', sinceMs: 0, tried: ['a'] }, 5);
    expect(lost).toEqual({ rung: 'lost', sinceMs: 5, tried: ['a', 'the machine was told to restart'] });
    expect(descend(lost, [{}, { health: well }])).toEqual(['wait', 'done']);
  });

  it('go down the ladder and never up, and each rung is tried once', () => {
    const look = fc.record({
      health: fc.constantFrom(broken, pending, well),
      canReload: fc.boolean(),
      mayReboot: fc.boolean(),
      afterMs: fc.nat(200_000),
    });
    const order = ['restart', 'reload', 'reboot', 'tell_lost'];
    fc.assert(
      fc.property(fc.boolean(), fc.array(look, { maxLength: 12 }), (stopped, looks) => {
        const acts = descend(beginRepair(stopped, 0), looks).filter((kind) => order.includes(kind));
        const ranks = acts.map((kind) => order.indexOf(kind));
        return ranks.every((rank, at) => at === 0 || rank > (ranks[at - 1] ?? 0));
      }),
    );
  });
});

const desired = [
  { deployment: 'chat', engine: 'vllm' },
  { deployment: 'theirs', engine: 'external' },
] as unknown as DesiredReplica[];
const status = (deployment: string, over: Partial<ReplicaStatus>): ReplicaStatus => ({
  ...describeReplica({ deployment, phase: 'ready' }),
  ...over,
});
const issue = (code: Issue['code']): Issue => ({
  ...{ code, subject: 'host', severity: 'error', detail: 'it is so', fix: null },
});

describe('the health of the cards', () => {
  it.each<[string, ReplicaStatus[], Issue[], CardHealth['kind']]>([
    ['ready', [status('chat', {})], [], 'well'],
    ['no replica at all', [], [], 'well'],
    ['loading', [status('chat', { phase: 'loading' })], [], 'pending'],
    ['declared stopped', [status('chat', { phase: 'absent' })], [], 'well'],
    ['no card inside', [status('chat', { phase: 'failed', code: 'gpu_not_in_container' })], [], 'broken'],
    ['no token', [status('chat', { phase: 'failed', code: 'engine_proof_failed' })], [], 'broken'],
    ['no image', [status('chat', { phase: 'failed', code: 'image_not_found' })], [], 'well'],
    ['nobody signed in', [status('chat', { phase: 'failed', code: 'sign_in_needed' })], [], 'well'],
    ['a card that is gone', [status('chat', {})], [issue('gpu_lost')], 'broken'],
    ['a clock that is off', [status('chat', {})], [issue('clock_skew')], 'well'],
    [
      'an engine that others run',
      [status('theirs', { phase: 'failed', code: 'engine_crashed' })],
      [],
      'well',
    ],
  ])('%s', (_what, statuses, issues, kind) => {
    expect(judgeRepair(desired, statuses, issues).kind).toBe(kind);
  });
});

describe('a card that stays lost', () => {
  const tried = ['the engines were started anew'];

  it('is told with what was tried, and what only a person can do', () => {
    const windows = describeLostCard('gpu_lost', tried, {
      ...{ platform: 'win32', canReload: false, mayReboot: false },
    });
    expect(windows).toMatchObject({ code: 'gpu_lost_after_resume', severity: 'error', subject: 'host' });
    expect(windows.detail).toContain('Tried: the engines were started anew.');
    expect(windows.fix).toContain('wsl --shutdown');
    const linux = describeLostCard('x', tried, { platform: 'linux', canReload: false, mayReboot: false });
    expect(linux.fix).toContain('modprobe -r nvidia_uvm');
    const root = describeLostCard('x', tried, { platform: 'linux', canReload: true, mayReboot: true });
    expect(root.fix).toMatch(/^Restart the machine\. If/);
  });
});
