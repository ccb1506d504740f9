import { generateKeyPairSync, sign } from 'node:crypto';
import { artefactOf } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { beginUpgrade } from './begin-upgrade.js';
import { MAX_PROOFS, PROVING_MS } from './decide/plan-upgrade-step.js';
import { finishUpgrade } from './finish-upgrade.js';
import {
  type Behaviour,
  Cut,
  type FakeIntake,
  FakeUpgradeSystem,
  fakeIntake,
  NEW,
  OLD,
} from './testing/fake-upgrade-system.js';
import { InstantClock } from './testing/instant-clock.js';
import type { UpgradeRecord } from './upgrade-record.js';

const log = pino({ level: 'silent' });
const manifestSha256 = /^[0-9a-f]{64}$/;

function begin(
  system: FakeUpgradeSystem,
  intake: FakeIntake = fakeIntake(system),
  releaseKey: string | null = null,
): Promise<UpgradeRecord> {
  return beginUpgrade({
    ...{ system, intake, releaseKey, ownVersion: '0.1.0', nowMs: 1 },
    platform: { os: 'linux', architecture: 'x64' },
  });
}

const finish = (system: FakeUpgradeSystem, clock = new InstantClock()): Promise<UpgradeRecord | null> =>
  finishUpgrade({ system, clock, log });

async function untilCut(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof Cut) return true;
    throw error;
  }
}

describe('an upgrade', () => {
  it('makes the newer version the current one, starts it, and is done when it is linked', async () => {
    const system = new FakeUpgradeSystem();
    const begun = await begin(system);
    expect(begun).toMatchObject({ stage: 'staged', from: { version: '0.1.0', folder: OLD }, signed: false });
    expect(begun.to).toEqual({ version: '0.2.0', folder: NEW });
    expect(begun.manifestSha256).toMatch(manifestSha256);
    expect([system.currentFolder, system.finishings]).toEqual([OLD, 1]);
    expect(await finish(system)).toMatchObject({ stage: 'done', reason: null });
    expect([system.currentFolder, system.runs, system.notedVersion]).toEqual([NEW, NEW, '0.2.0']);
    expect([...system.versions]).toEqual([OLD, NEW]);
    expect(system.isArmed).toBe(false);
  });

  it('writes down what it is about before it changes what runs', async () => {
    const system = new FakeUpgradeSystem();
    await begin(system);
    await finish(system);
    expect(system.changes).toEqual([
      ...['place', 'arm', 'record staged', 'start finishing', `current ${NEW}`, 'record swapped', 'restart'],
      ...['record proving', 'record done', 'note version', 'keep only', 'disarm'],
    ]);
  });

  it.each<[Behaviour, RegExp]>([
    ['never_links', /^0\.2\.0 was not linked within 120 s$/],
    ['crashes', /^0\.2\.0 does not run: it ended 3 times$/],
    ['links_and_crashes', /^0\.2\.0 does not run/],
    ['links_and_is_blind', /^0\.2\.0 is linked, but sees 0 of 1 card after 120 s$/],
    ['does_not_start', /^0\.2\.0 does not start: Job failed$/],
    ['lies', /^what runs says that it is 0\.1\.9, not 0\.2\.0$/],
  ])('to a version that %s is taken back, and says why', async (behaviour, why) => {
    const system = new FakeUpgradeSystem();
    system.behaviour = behaviour;
    await begin(system);
    const ended = await finish(system);
    expect(ended).toMatchObject({ stage: 'rolled_back', reason: expect.stringMatching(why) });
    expect([system.currentFolder, system.runs, system.notedVersion]).toEqual([OLD, OLD, '0.1.0']);
    expect([...system.versions]).toEqual([OLD]);
    expect(system.isArmed).toBe(false);
  });

  it('waits for the link no longer than it says', async () => {
    const system = new FakeUpgradeSystem();
    system.behaviour = 'never_links';
    await begin(system);
    const clock = new InstantClock();
    await finish(system, clock);
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(PROVING_MS);
    expect(clock.monotonicMs()).toBeLessThan(PROVING_MS + 2_000);
  });

  it('is left alone where an install put something else in place meanwhile', async () => {
    const system = new FakeUpgradeSystem();
    await begin(system);
    system.versions.add('/opt/a/versions/0.1.5');
    system.currentFolder = '/opt/a/versions/0.1.5';
    expect(await finish(system)).toMatchObject({ stage: 'failed' });
    expect(system.currentFolder).toBe('/opt/a/versions/0.1.5');
    expect([...system.versions]).toContain('/opt/a/versions/0.1.5');
    expect(system.isArmed).toBe(false);
  });

  it('that brings its machine down each time is taken back', async () => {
    const system = new FakeUpgradeSystem();
    system.behaviour = 'never_links';
    await begin(system);
    for (let boots = 0; boots <= MAX_PROOFS; boots += 1) {
      // It goes down before there is a verdict.
      system.cutAt = { change: system.changes.length + (boots === 0 ? 4 : 1), when: 'before' };
      expect(await untilCut(() => finish(system))).toBe(true);
      system.cutAt = null;
      system.boot();
    }
    expect(await finish(system)).toMatchObject({ stage: 'rolled_back' });
    expect(system.runs).toBe(OLD);
  });

  it('can be followed by another one', async () => {
    const system = new FakeUpgradeSystem();
    system.behaviour = 'crashes';
    await begin(system);
    await finish(system);
    system.behaviour = 'links';
    await begin(system);
    expect(await finish(system)).toMatchObject({ stage: 'done', proofs: 1 });
  });
});

describe('an upgrade that is cut off', () => {
  /** How many changes the longest way has. */
  const MOST_CHANGES = 16;
  const cuts = Array.from({ length: MOST_CHANGES }, (_, change) =>
    (['before', 'after'] as const).flatMap((when) =>
      (['killed', 'power cut'] as const).map((how) => [change, when, how] as const),
    ),
  ).flat();

  describe.each<Behaviour>(['links', 'never_links', 'crashes', 'does_not_start'])(
    'to a version that %s',
    (behaviour) => {
      it.each(cuts)('at change %i, %s its effect, by being %s', async (change, when, how) => {
        const seen: (string | null)[] = [];
        const system = new FakeUpgradeSystem((folder) => seen.push(folder));
        system.behaviour = behaviour;
        system.cutAt = { change, when };
        const wasCut = await untilCut(async () => {
          await begin(system);
          await finish(system);
        });
        system.cutAt = null;
        if (how === 'power cut') system.boot();
        // What is armed goes on by itself; what was not yet begun is begun again by whoever wants it.
        if (system.isArmed) await finish(system);
        if (system.record === null) {
          expect(system.currentFolder).toBe(OLD);
          await begin(system);
          await finish(system);
        }
        const works = behaviour === 'links';
        expect({ wasCut, stage: system.record?.stage }).toEqual({
          wasCut,
          stage: works ? 'done' : 'rolled_back',
        });
        expect([system.currentFolder, system.runs]).toEqual(works ? [NEW, NEW] : [OLD, OLD]);
        expect(system.notedVersion).toBe(works ? '0.2.0' : '0.1.0');
        expect(system.isArmed).toBe(false);
        expect(seen.every((folder) => folder === OLD || folder === NEW)).toBe(true);
      });
    },
  );

  it('covers every change', async () => {
    const system = new FakeUpgradeSystem();
    system.behaviour = 'never_links';
    await begin(system);
    await finish(system);
    expect(system.changes.length).toBeLessThanOrEqual(MOST_CHANGES);
  });

  it('goes on where it is asked for again', async () => {
    const system = new FakeUpgradeSystem();
    system.cutAt = { change: 3, when: 'before' };
    expect(await untilCut(() => begin(system))).toBe(true);
    system.cutAt = null;
    const again = await begin(system, { ...fakeIntake(system), staged: () => Promise.resolve(null) });
    expect(again).toMatchObject({ stage: 'staged' });
    expect(system.finishings).toBe(1);
    expect(await finish(system)).toMatchObject({ stage: 'done' });
  });
});

describe('what is staged', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const signatureOf = (bytes: Uint8Array): string => sign(null, bytes, privateKey).toString('base64');

  async function refusedAs(
    change: (intake: FakeIntake, system: FakeUpgradeSystem) => void,
    key: string | null = null,
  ) {
    const system = new FakeUpgradeSystem();
    const intake = fakeIntake(system);
    change(intake, system);
    const error = await begin(system, intake, key).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect([system.currentFolder, system.record, system.isArmed, system.finishings]).toEqual([
      OLD,
      null,
      false,
      0,
    ]);
    return (error as { code?: string } | null)?.code;
  }

  it('is nothing', async () => {
    expect(
      await refusedAs((intake) => {
        intake.manifest = null;
      }),
    ).toBe('nothing_staged');
  });

  it.each<[string, (intake: FakeIntake) => void]>([
    ['not signed', () => undefined],
    [
      'signed by another key',
      (intake) => {
        const other = generateKeyPairSync('ed25519').privateKey;
        intake.signature = sign(null, intake.manifest ?? new Uint8Array(), other).toString('base64');
      },
    ],
    [
      'another manifest than was signed',
      (intake) => {
        intake.signature = signatureOf(intake.manifest ?? new Uint8Array());
        intake.manifest = Buffer.concat([intake.manifest ?? new Uint8Array(), Buffer.from(' ')]);
      },
    ],
    [
      'signed with no signature at all',
      (intake) => {
        intake.signature = 'AAAA';
      },
    ],
  ])('is refused by a release build where it is %s', async (_what, change) => {
    expect(await refusedAs(change, pem)).toBe('release_refused');
  });

  it('is taken by a release build where its key signed it, and called signed', async () => {
    const system = new FakeUpgradeSystem();
    const intake = fakeIntake(system);
    intake.signature = signatureOf(intake.manifest ?? new Uint8Array());
    expect(await begin(system, intake, pem)).toMatchObject({ stage: 'staged', signed: true });
  });

  it.each<[string, string, (intake: FakeIntake, system: FakeUpgradeSystem) => void]>([
    [
      'an older version',
      'older_version',
      (intake, system) => {
        intake.manifest = fakeIntake(system, { version: '0.0.9' }).manifest;
      },
    ],
    [
      'the version that is here',
      'same_version',
      (intake, system) => {
        intake.manifest = fakeIntake(system, { version: '0.1.0' }).manifest;
      },
    ],
    [
      'for another system',
      'wrong_platform',
      (intake, system) => {
        intake.manifest = fakeIntake(system, {
          artefacts: [artefactOf({ os: 'windows', compression: 'zip' })],
        }).manifest;
      },
    ],
    [
      'larger than the disk has room',
      'no_space',
      (intake) => {
        intake.free = 150_000_000;
      },
    ],
    [
      'a manifest that is cut off',
      'release_refused',
      (intake) => {
        intake.manifest = intake.manifest?.slice(0, 40) ?? null;
      },
    ],
    [
      'a program that is not the manifest’s',
      'damaged',
      (intake) => {
        intake.damaged = 'ai-fabric-agent has the SHA-256 …';
      },
    ],
    [
      'not allowed by the owner',
      'policy_refused',
      (intake) => {
        intake.mode_ = 'off';
      },
    ],
    [
      'not confirmed by the owner',
      'policy_refused',
      (intake) => {
        intake.mode_ = 'confirm';
        intake.approved = 'ab'.repeat(32);
      },
    ],
  ])('is refused where it is %s', async (_what, code, change) => {
    expect(await refusedAs(change)).toBe(code);
  });

  it('is refused where no version is current', async () => {
    const system = new FakeUpgradeSystem();
    system.currentFolder = null;
    await expect(begin(system)).rejects.toMatchObject({ code: 'not_installed' });
  });
});
