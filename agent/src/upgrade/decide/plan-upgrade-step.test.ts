import { describe, expect, it } from 'vitest';
import type { Health } from '../health.js';
import type { UpgradeRecord } from '../upgrade-record.js';
import {
  isLinked,
  MAX_PROOFS,
  MAX_RESTARTS,
  PROVING_MS,
  planUpgradeStep,
  STEADY_MS,
  type UpgradeFacts,
  type UpgradeStep,
} from './plan-upgrade-step.js';

const record: UpgradeRecord = {
  ...{ format: 1, stage: 'staged', manifestSha256: 'ab'.repeat(32), signed: true, reason: null, proofs: 1 },
  from: { version: '0.1.0', folder: '/v/old' },
  to: { version: '0.2.0', folder: '/v/new' },
  changedAtMs: 1,
};
const healthy: Health = { version: '0.2.0', pid: 7, linkedSinceMs: 5 };
const seen = { cards: 2, engine: true };

function factsOf(
  change: Omit<Partial<UpgradeFacts>, 'record'>,
  of: Partial<UpgradeRecord> = {},
): UpgradeFacts {
  const service = { pid: 7, restarts: 0 };
  return {
    ...{ current: '/v/new', service, health: healthy, provingMs: 0, linkedMs: null, ...change },
    record: { ...record, ...of },
  };
}

describe('the next step of an upgrade', () => {
  it.each<[string, UpgradeFacts, UpgradeStep | { readonly do: UpgradeStep['do'] }]>([
    [
      'staged: the newer one is made current',
      factsOf({ current: '/v/old' }),
      { do: 'swap', folder: '/v/new', stage: 'swapped' },
    ],
    ['staged, but swapped already', factsOf({}), { do: 'swap', folder: '/v/new', stage: 'swapped' }],
    ['staged, and nothing current', factsOf({ current: null }), { do: 'end' }],
    ['swapped: it is started', factsOf({}, { stage: 'swapped' }), { do: 'restart', stage: 'proving' }],
    [
      'swapped, and swapped back by somebody',
      factsOf({ current: '/v/old' }, { stage: 'swapped' }),
      { do: 'end' },
    ],
    ['proving: it waits', factsOf({}, { stage: 'proving' }), { do: 'wait' }],
    ['linked just now', factsOf({ linkedMs: STEADY_MS - 1 }, { stage: 'proving' }), { do: 'wait' }],
    [
      'linked for a while',
      factsOf({ linkedMs: STEADY_MS }, { stage: 'proving' }),
      { do: 'end', stage: 'done', reason: null },
    ],
    [
      'linked at the last moment',
      factsOf({ linkedMs: STEADY_MS, provingMs: PROVING_MS }, { stage: 'proving' }),
      { do: 'end', stage: 'done', reason: null },
    ],
    [
      'not in time',
      factsOf({ provingMs: PROVING_MS }, { stage: 'proving' }),
      { do: 'turn_back', reason: '0.2.0 was not linked within 120 s' },
    ],
    [
      'not started',
      factsOf({ provingMs: PROVING_MS, health: null }, { stage: 'proving' }),
      { do: 'turn_back', reason: '0.2.0 did not start within 120 s' },
    ],
    [
      'what another process wrote',
      factsOf({ provingMs: PROVING_MS, health: { ...healthy, pid: 8 } }, { stage: 'proving' }),
      { do: 'turn_back', reason: '0.2.0 did not start within 120 s' },
    ],
    [
      'another version',
      factsOf({ provingMs: PROVING_MS, health: { ...healthy, version: '0.3.0' } }, { stage: 'proving' }),
      { do: 'turn_back', reason: 'what runs says that it is 0.3.0, not 0.2.0' },
    ],
    [
      'ended too often',
      factsOf({ service: { pid: null, restarts: MAX_RESTARTS } }, { stage: 'proving' }),
      { do: 'turn_back', reason: '0.2.0 does not run: it ended 3 times' },
    ],
    [
      'ended twice',
      factsOf({ service: { pid: 7, restarts: MAX_RESTARTS - 1 } }, { stage: 'proving' }),
      { do: 'wait' },
    ],
    [
      'linked, and as it was before',
      factsOf({ linkedMs: STEADY_MS, health: { ...healthy, seen } }, { stage: 'proving', seenBefore: seen }),
      { do: 'end', stage: 'done', reason: null },
    ],
    [
      'linked, and the cards not read yet',
      factsOf(
        { linkedMs: STEADY_MS, health: { ...healthy, seen: { ...seen, cards: null } } },
        { stage: 'proving', seenBefore: seen },
      ),
      { do: 'wait' },
    ],
    [
      'linked, and a card missing to the last moment',
      factsOf(
        { linkedMs: STEADY_MS, provingMs: PROVING_MS, health: { ...healthy, seen: { ...seen, cards: 1 } } },
        { stage: 'proving', seenBefore: seen },
      ),
      { do: 'turn_back', reason: '0.2.0 is linked, but sees 1 of 2 cards after 120 s' },
    ],
    [
      'linked, and without the container engine',
      factsOf(
        {
          linkedMs: STEADY_MS,
          provingMs: PROVING_MS,
          health: { ...healthy, seen: { ...seen, engine: false } },
        },
        { stage: 'proving', seenBefore: seen },
      ),
      { do: 'turn_back', reason: '0.2.0 is linked, but does not reach the container engine after 120 s' },
    ],
    [
      'neither linked nor with its cards',
      factsOf(
        { provingMs: PROVING_MS, health: { ...healthy, seen: { ...seen, cards: 0 } } },
        { stage: 'proving', seenBefore: seen },
      ),
      { do: 'turn_back', reason: '0.2.0 was not linked within 120 s' },
    ],
    ['down too often', factsOf({}, { stage: 'proving', proofs: MAX_PROOFS + 1 }), { do: 'turn_back' }],
    [
      'proving, and something else is current',
      factsOf({ current: '/v/other' }, { stage: 'proving' }),
      { do: 'end' },
    ],
    [
      'rolling back: the one before is made current',
      factsOf({}, { stage: 'rolling_back' }),
      { do: 'swap', folder: '/v/old', stage: 'rolling_back' },
    ],
    [
      'rolling back: it is started',
      factsOf({ current: '/v/old' }, { stage: 'rolling_back' }),
      { do: 'restart', stage: 'rolled_back' },
    ],
    [
      'rolling back, and something else is current',
      factsOf({ current: null }, { stage: 'rolling_back' }),
      { do: 'end' },
    ],
    ['done', factsOf({}, { stage: 'done' }), { do: 'tidy' }],
    ['rolled back', factsOf({}, { stage: 'rolled_back' }), { do: 'tidy' }],
    ['failed', factsOf({}, { stage: 'failed' }), { do: 'tidy' }],
  ])('%s', (_what, facts, step) => {
    expect(planUpgradeStep(facts)).toMatchObject(step);
  });

  it.each<[string, number | null, Health | null, boolean]>([
    ['the agent that runs, of the newer version, linked', 7, healthy, true],
    ['an agent that does not run any more', null, healthy, false],
    ['another process', 8, healthy, false],
    ['the version before', 7, { ...healthy, version: '0.1.0' }, false],
    ['one without a link', 7, { ...healthy, linkedSinceMs: null }, false],
    ['nobody', 7, null, false],
  ])('counts as linked: %s', (_what, pid, health, linked) => {
    expect(isLinked(record, { pid }, health)).toBe(linked);
  });
});
