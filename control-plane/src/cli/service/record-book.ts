import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { CliError, exitCodes } from '../exit-codes.js';
import { type InstalledRecord, installedSchema, NOTHING_INSTALLED } from './installed-record.js';
import type { Machine } from './machine.js';
import { PLACES } from './service-places.js';

/** What an installation wrote down of itself; on the disk before what it says is done. */
export class RecordBook {
  readonly #file: string;
  #record: InstalledRecord;
  /** Until its directory is there. */
  #isPending = false;

  constructor(machine: Machine) {
    this.#file = machine.at(PLACES.record);
    this.#record = readRecord(machine) ?? NOTHING_INSTALLED;
  }

  get record(): InstalledRecord {
    return this.#record;
  }

  change(changes: Partial<InstalledRecord>): void {
    this.#record = { ...this.#record, ...changes };
    this.#isPending = !existsSync(directoryOf(this.#file));
    if (!this.#isPending) this.#write();
  }

  noteMade(item: string): void {
    if (!this.#record.made.includes(item)) this.change({ made: [...this.#record.made, item] });
  }

  /** After its directory was made. */
  catchUp(): void {
    if (this.#isPending && existsSync(directoryOf(this.#file))) this.#write();
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }

  #write(): void {
    writeWhole(this.#file, `${JSON.stringify(this.#record, null, 2)}\n`, 0o644);
    this.#isPending = false;
  }
}

/** @returns `null`: there is none @throws CliError where it cannot be read: what it knows is not guessed */
export function readRecord(machine: Machine): InstalledRecord | null {
  const file = machine.at(PLACES.record);
  if (!existsSync(file)) return null;
  try {
    return installedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const detail = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    const fix = 'put it back from a copy; where there is none, move it away and run the installer again';
    throw new CliError(exitCodes.failed, `${file} is damaged, or of a newer installer: ${detail}`, fix);
  }
}

/** Replaces a file, whole or not at all. */
export function writeWhole(file: string, text: string, mode: number): void {
  const draft = `${file}.new`;
  writeFileSync(draft, text, { mode });
  // The mode above is cut by the umask.
  chmodSync(draft, mode);
  renameSync(draft, file);
}

function directoryOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/'));
}
