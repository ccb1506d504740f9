import { describe, expect, it } from 'vitest';
import { backupName, backupTimeMs, planRotation } from './plan-rotation.js';

const AT = Date.UTC(2026, 10, 24, 19, 16, 35);
const DAY_MS = 24 * 3600 * 1000;

describe('scheduled backups', () => {
  it('are named by the second at which they were made', () => {
    expect(backupName(AT)).toBe('ai-fabric-20261124T191635Z.backup');
    expect(backupTimeMs(backupName(AT))).toBe(AT);
  });

  it.each(['fabric.backup', 'ai-fabric-20261124T191635Z.backup.tmp', 'ai-fabric-20261399T999999Z.backup'])(
    'are not taken for others: %s',
    (name) => expect(backupTimeMs(name)).toBeNull(),
  );

  it('are the newest that stay, and what is none of ours stays too', () => {
    const days = [3, 0, 4, 1, 2].map((day) => backupName(AT + day * DAY_MS));
    expect(planRotation([...days, 'mine.backup'], 2)).toEqual([
      backupName(AT + 2 * DAY_MS),
      backupName(AT + DAY_MS),
      backupName(AT),
    ]);
    expect(planRotation([backupName(AT)], 0)).toEqual([]);
    expect(planRotation([`${backupName(AT)}.tmp`, 'mine.tmp'], 2)).toEqual([`${backupName(AT)}.tmp`]);
  });
});
