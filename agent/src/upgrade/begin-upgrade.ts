import { createHash } from 'node:crypto';
import { verifyRelease } from '@ai-fabric/shared';
import { judgeConsent } from './decide/judge-consent.js';
import { type AgentPlatform, judgeRelease } from './decide/judge-release.js';
import { UpgradeError } from './upgrade-error.js';
import { isOver, type UpgradeRecord } from './upgrade-record.js';
import type { UpgradeIntake, UpgradeSystem } from './upgrade-system.js';

export interface BeginUpgradeOptions {
  readonly system: Pick<
    UpgradeSystem,
    'readRecord' | 'writeRecord' | 'current' | 'health' | 'arm' | 'startFinishing'
  >;
  readonly intake: UpgradeIntake;
  /** PEM; `null` in a development build, which takes what is not signed. */
  readonly releaseKey: string | null;
  readonly platform: AgentPlatform;
  /** Of the program that does this, which is the current one. */
  readonly ownVersion: string;
  /** Wall clock. */
  readonly nowMs: number;
}

/** So many letters of a program's SHA-256 tell two builds of a version apart. */
const SHORT_SHA256 = 12;

/**
 * Takes in what the agent staged, as root: nothing that it says is believed. Resolves when the replacement has begun, which then
 * ends the agent that asked for it.
 *
 * @throws UpgradeError, ConfigError
 */
export async function beginUpgrade(options: BeginUpgradeOptions): Promise<UpgradeRecord> {
  const { system, intake, releaseKey, platform, ownVersion, nowMs } = options;
  const before = await system.readRecord();
  if (before !== null && !isOver(before)) {
    // It may have died on its way, or with its machine.
    await system.arm(before);
    await system.startFinishing();
    return before;
  }
  const staged = await intake.staged();
  if (staged === null) throw new UpgradeError('nothing_staged', 'No release is staged.');
  const { manifestBytes, signature } = staged;
  const verdict = verifyRelease(manifestBytes, signature, releaseKey);
  if (!verdict.ok) throw new UpgradeError('release_refused', `The release is refused: ${verdict.detail}.`);
  const { manifest, signed } = verdict;
  const manifestSha256 = createHash('sha256').update(manifestBytes).digest('hex');
  const refused = judgeConsent({
    ...{ mode: await intake.mode(), approvedSha256: await intake.approvedSha256(), manifestSha256 },
    platform: process.platform,
  });
  if (refused !== null) throw new UpgradeError('policy_refused', refused);
  const freeBytes = await intake.freeBytes();
  const judged = judgeRelease({ manifest, ownVersion, platform, freeBytes, withArchive: false });
  if (!judged.ok) throw new UpgradeError(judged.code, judged.detail);
  const current = await system.current();
  if (current === null) throw new UpgradeError('not_installed', 'No version is the current one here.');
  const seenBefore = (await system.health())?.seen;
  const [program] = judged.files;
  const name = `${manifest.version}-${program?.sha256.slice(0, SHORT_SHA256)}`;
  const { folder } = await intake.place({ name, files: judged.files, manifestBytes, signature });
  const record: UpgradeRecord = {
    ...{ format: 1, stage: 'staged', manifestSha256, signed, reason: null, proofs: 0, changedAtMs: nowMs },
    ...(seenBefore === undefined ? {} : { seenBefore }),
    from: { version: ownVersion, folder: current },
    to: { version: manifest.version, folder },
  };
  // In this order: whoever finishes without a record has nothing to do.
  await system.arm(record);
  await system.writeRecord(record);
  await system.startFinishing();
  return record;
}
