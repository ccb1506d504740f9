import type { BackupStatus } from '../../backup/backup-schedule.js';
import { CONTROL_PLANE, type Finding, finding } from '../finding.js';

/** Whether the backups that are declared are made. */
export function judgeBackup({ schedule, nextAtMs, lastFailure }: BackupStatus): Finding[] {
  if (schedule === null) return [];
  if (lastFailure !== null) {
    const { detail, fix } = lastFailure;
    const what = `no scheduled backup can be made: ${detail}`;
    return [finding('error', 'backup_failing', CONTROL_PLANE, what, { fix })];
  }
  const next = nextAtMs === null ? '' : `, the next one at ${new Date(nextAtMs).toISOString()}`;
  const what = `backups are made into ${schedule.directory}${next}`;
  return [finding('ok', 'backup', CONTROL_PLANE, what)];
}
