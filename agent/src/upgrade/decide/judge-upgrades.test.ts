import type { UpgradeMode } from '@ai-fabric/shared';
import { artefactOf, manifestOf } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import type { OfferMemory } from '../offer-memory.js';
import type { UpgradeRecord, UpgradeStage } from '../upgrade-record.js';
import { describeUpgrade, TOLD_FOR_MS } from './describe-upgrade.js';
import { judgeConsent } from './judge-consent.js';
import { judgeMemory, MAX_ATTEMPTS } from './judge-memory.js';
import { judgeOffer, type OfferFacts } from './judge-offer.js';
import { judgeRelease, type ReleaseFacts, ROOM_TO_SPARE } from './judge-release.js';

const sha256 = 'ab'.repeat(32);
const otherSha256 = 'cd'.repeat(32);

const recordOf = (stage: UpgradeStage, change: Partial<UpgradeRecord> = {}): UpgradeRecord => ({
  ...{ format: 1, stage, manifestSha256: sha256, signed: true, reason: null, proofs: 0, changedAtMs: 1_000 },
  from: { version: '0.1.0', folder: '/v/old' },
  to: { version: '0.2.0', folder: '/v/new' },
  ...change,
});

describe('an offer', () => {
  const offered: OfferFacts = {
    ...{ mode: 'confirm', ownVersion: '0.1.0', version: '0.2.0', manifestSha256: sha256 },
    ...{ isUnderWay: false, rolledBackSha256: null, command: 'sudo ai-fabric-agent upgrade' },
  };

  it.each<[string, Partial<OfferFacts>, string]>([
    ['off', { mode: 'off' }, 'upgrades_off'],
    ['off, of the same version', { mode: 'off', version: '0.1.0' }, 'upgrades_off'],
    ['the same version', { version: '0.1.0' }, 'same_version'],
    ['the same version, to be done by itself', { version: '0.1.0', mode: 'auto' }, 'same_version'],
    ['an older version', { version: '0.0.9', mode: 'auto' }, 'older_version'],
    ['what comes before it', { version: '0.1.0-rc.1' }, 'older_version'],
    ['no version', { version: 'newest' }, 'older_version'],
    ['another one under way', { isUnderWay: true }, 'upgrade_under_way'],
    ['another one under way, to be done by itself', { isUnderWay: true, mode: 'auto' }, 'upgrade_under_way'],
  ])('is refused: %s', (_what, change, code) => {
    expect(judgeOffer({ ...offered, ...change })).toMatchObject({ do: 'refuse', code });
  });

  it('waits for the owner, who is told how', () => {
    const kept = { do: 'keep', detail: expect.stringContaining('sudo ai-fabric-agent upgrade') };
    expect(judgeOffer(offered)).toEqual(kept);
    expect(judgeOffer({ ...offered, version: '0.10.0' })).toEqual(kept);
  });

  it('is done by itself where the owner wants that, but not again where it was rolled back', () => {
    expect(judgeOffer({ ...offered, mode: 'auto' })).toEqual({ do: 'begin' });
    expect(judgeOffer({ ...offered, mode: 'auto', rolledBackSha256: otherSha256 })).toEqual({ do: 'begin' });
    expect(judgeOffer({ ...offered, mode: 'auto', rolledBackSha256: sha256 })).toMatchObject({ do: 'keep' });
  });
});

describe('a release', () => {
  const facts: ReleaseFacts = {
    manifest: manifestOf({ version: '0.2.0' }),
    ...{ ownVersion: '0.1.0', platform: { os: 'linux', architecture: 'x64' }, freeBytes: 1e12 },
    withArchive: true,
  };
  const { bytes: archiveBytes } = artefactOf();
  const programBytes = 125_000_000;

  it('has an agent for this system', () => {
    expect(judgeRelease(facts)).toEqual({ ok: true, artefact: artefactOf(), files: artefactOf().files });
  });

  it('is for Windows where both of its programs are in it', () => {
    const files = ['nssm.exe', 'README', 'ai-fabric-agent.exe'].map((name) => ({ name, bytes: 1, sha256 }));
    const windows = artefactOf({ name: 'w.zip', os: 'windows', compression: 'zip', files });
    const manifest = manifestOf({ version: '0.2.0', artefacts: [artefactOf(), windows] });
    const judged = judgeRelease({ ...facts, manifest, platform: { os: 'windows', architecture: 'x64' } });
    expect(judged).toMatchObject({
      ok: true,
      files: [{ name: 'ai-fabric-agent.exe' }, { name: 'nssm.exe' }],
    });
    const without = manifestOf({ version: '0.2.0', artefacts: [{ ...windows, files: files.slice(0, 2) }] });
    const refused = judgeRelease({
      ...facts,
      manifest: without,
      platform: { os: 'windows', architecture: 'x64' },
    });
    expect(refused).toMatchObject({ ok: false, code: 'wrong_platform' });
  });

  it.each<[string, Partial<ReleaseFacts>, string]>([
    ['an older version', { ownVersion: '0.3.0' }, 'older_version'],
    ['the same version', { ownVersion: '0.2.0' }, 'same_version'],
    ['for another processor', { platform: { os: 'linux', architecture: 'arm64' } }, 'wrong_platform'],
    ['for another system', { platform: { os: 'windows', architecture: 'x64' } }, 'wrong_platform'],
    [
      'packed as nobody here unpacks',
      { manifest: manifestOf({ version: '0.2.0', artefacts: [artefactOf({ compression: 'xz' })] }) },
      'wrong_platform',
    ],
    [
      'of the control plane alone',
      { manifest: manifestOf({ version: '0.2.0', artefacts: [artefactOf({ kind: 'control-plane' })] }) },
      'wrong_platform',
    ],
    ['larger than the room', { freeBytes: archiveBytes + programBytes + ROOM_TO_SPARE - 1 }, 'no_space'],
  ])('is refused: %s', (_what, change, code) => {
    expect(judgeRelease({ ...facts, ...change })).toMatchObject({ ok: false, code });
  });

  it('needs no room for its archive where that lies elsewhere', () => {
    const freeBytes = programBytes + ROOM_TO_SPARE;
    expect(judgeRelease({ ...facts, freeBytes, withArchive: false })).toMatchObject({ ok: true });
    expect(judgeRelease({ ...facts, freeBytes: freeBytes - 1, withArchive: false })).toMatchObject({
      code: 'no_space',
    });
  });
});

describe('root', () => {
  it.each<[UpgradeMode, string | null, boolean]>([
    ['off', null, false],
    ['off', sha256, false],
    ['confirm', null, false],
    ['confirm', otherSha256, false],
    ['confirm', sha256, true],
    ['auto', null, true],
  ])('puts a release in place with upgrades %s and a yes to %s: %s', (mode, approvedSha256, may) => {
    const refused = judgeConsent({ mode, approvedSha256, manifestSha256: sha256, platform: 'linux' });
    expect(refused === null).toBe(may);
  });

  it.each<[NodeJS.Platform, string]>([
    ['linux', 'sudo ai-fabric-agent upgrade'],
    ['win32', '& "$env:ProgramFiles\\AI Fabric Agent\\ai-fabric-agent.cmd" upgrade'],
  ])('on %s names the command as it is typed there', (platform, command) => {
    const facts = { mode: 'confirm', approvedSha256: null, manifestSha256: sha256, platform } as const;
    expect(judgeConsent(facts)).toContain(command);
  });
});

describe('an agent that starts', () => {
  const memory: OfferMemory = {
    ...{
      version: '0.2.0',
      manifestSha256: sha256,
      phase: 'offered',
      detail: null,
      attempts: 0,
      begunAtMs: 500,
    },
  };

  it.each<[string, Partial<OfferMemory>, UpgradeRecord | null, string, string]>([
    ['keeps an offer', {}, null, '0.1.0', 'keep'],
    ['keeps what failed', { phase: 'failed' }, null, '0.1.0', 'keep'],
    ['forgets the offer of what it is', {}, null, '0.2.0', 'forget'],
    ['forgets the offer of what is older than it', { phase: 'fetching' }, null, '0.3.0', 'forget'],
    ['goes on fetching', { phase: 'fetching', attempts: 1 }, null, '0.1.0', 'go_on'],
    ['asks root again', { phase: 'staged', attempts: 1 }, null, '0.1.0', 'go_on'],
    [
      'goes on after another release ended',
      { phase: 'staged', attempts: 1 },
      recordOf('done', { manifestSha256: otherSha256 }),
      '0.1.0',
      'go_on',
    ],
    ['gives up', { phase: 'fetching', attempts: MAX_ATTEMPTS }, null, '0.1.0', 'give_up'],
    ['leaves it to root', { phase: 'staged', attempts: 1 }, recordOf('proving'), '0.1.0', 'keep'],
    [
      'forgets what was rolled back',
      { phase: 'staged', attempts: 1 },
      recordOf('rolled_back'),
      '0.1.0',
      'forget',
    ],
    [
      'tries anew what was rolled back before',
      { phase: 'staged', attempts: 1, begunAtMs: 2_000 },
      recordOf('rolled_back'),
      '0.1.0',
      'go_on',
    ],
  ])('%s', (_what, change, record, ownVersion, verdict) => {
    expect(judgeMemory({ ...memory, ...change }, record, ownVersion).do).toBe(verdict);
  });
});

describe('what is told of an upgrade', () => {
  const own = { phase: 'offered', version: '0.3.0', detail: 'waits' } as const;

  it.each<[UpgradeStage, string, RegExp | null]>([
    ['staged', 'staged', null],
    ['swapped', 'swapped', null],
    ['proving', 'proving', /^It has to link; else 0\.1\.0 comes back\.$/],
    ['rolling_back', 'proving', /^0\.1\.0 is put back: it did not work$/],
    ['done', 'done', /^It took the place of 0\.1\.0\.$/],
    ['rolled_back', 'rolled_back', /^0\.1\.0 runs again/],
    ['failed', 'failed', null],
  ])('%s is told as %s', (stage, phase, detail) => {
    expect(describeUpgrade(null, recordOf(stage), 2_000)).toEqual({
      ...{ phase, version: '0.2.0' },
      detail: detail === null ? null : expect.stringMatching(detail),
    });
  });

  it('is nothing where there was none, or long ago', () => {
    expect(describeUpgrade(null, null, 0)).toBeNull();
    expect(describeUpgrade(null, recordOf('done'), 1_000 + TOLD_FOR_MS)).not.toBeNull();
    expect(describeUpgrade(null, recordOf('done'), 1_001 + TOLD_FOR_MS)).toBeNull();
  });

  it('is what is under way before what is offered, and that before what is over', () => {
    expect(describeUpgrade(own, recordOf('proving'), 0)).toMatchObject({ phase: 'proving' });
    expect(describeUpgrade(own, recordOf('rolled_back'), 0)).toEqual(own);
  });

  it('says that a release is not signed, and is never longer than a report takes', () => {
    expect(describeUpgrade(null, recordOf('done', { signed: false }), 0)?.detail).toContain('not signed');
    const long = recordOf('rolled_back', { reason: 'x'.repeat(500) });
    expect(describeUpgrade(null, long, 0)?.detail).toHaveLength(500);
  });
});
