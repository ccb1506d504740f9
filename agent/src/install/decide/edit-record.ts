import type { InstallRecord } from '../install-record.js';
import type { Made } from '../install-steps.js';

/** The record with what is about to be made. What it has already keeps its place, and is kept as was said last. */
export function noteMade(record: InstallRecord, makes: readonly Made[]): InstallRecord {
  const made = [...record.made];
  for (const each of makes) {
    const at = made.findIndex((known) => isSame(known, each));
    if (at === -1) made.push(each);
    else made[at] = each;
  }
  return { ...record, made };
}

/** The record without what is gone. */
export function dropMade(record: InstallRecord, gone: Made): InstallRecord {
  return { ...record, made: record.made.filter((known) => !isSame(known, gone)) };
}

function isSame(one: Made, other: Made): boolean {
  return one.kind === other.kind && one.what === other.what;
}
