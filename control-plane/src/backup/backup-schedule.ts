import { access, constants, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '@ai-fabric/shared';
import { Cron } from 'croner';
import type { Logger } from 'pino';
import type { DeclaredBackup, DeclaredSource } from '../declared/declared-state.js';
import type { BackupDesk } from './backup-desk.js';
import { backupName, DRAFT_SUFFIX, listBackups, planRotation } from './decide/plan-rotation.js';

/** How scheduled backups go. */
export interface BackupStatus {
  readonly schedule: DeclaredBackup | null;
  /** `null`: nothing is scheduled. */
  readonly nextAtMs: number | null;
  readonly lastSuccess: { readonly atMs: number; readonly file: string; readonly sizeBytes: number } | null;
  /** Why the last one failed, or why the next one will. Cleared by the next success, or when its directory is there. */
  readonly lastFailure: { readonly atMs: number; readonly detail: string; readonly fix: string } | null;
}

export interface BackupScheduleParts {
  readonly declared: DeclaredSource;
  readonly desk: Pick<BackupDesk, 'make'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Timers hold no longer, and the wall clock may be set meanwhile. */
const LOOK_AGAIN_MS = 60_000;
const RETRY_MS = 15 * 60_000;
/** A mount whose server is gone may not answer at all. */
const ANSWER_MS = 2_000;
const HOUR_MS = 3_600_000;

/** Makes backups as fabric.yaml says, and deletes those that are too many once a newer one is whole. */
export class BackupSchedule {
  readonly #parts: BackupScheduleParts;
  readonly #timer: Timer;
  readonly #unfollow: () => void;
  #declared: DeclaredBackup | null = null;
  #nextAtMs: number | null = null;
  #lastSuccess: BackupStatus['lastSuccess'] = null;
  #lastFailure: BackupStatus['lastFailure'] = null;
  /** Whether that was for want of its directory. */
  #lacksDirectory = false;
  /** Of its directory, while none was tried. */
  #trouble: BackupStatus['lastFailure'] = null;
  #running: Promise<void> | null = null;
  /** One at a time: each that hangs holds one of the few threads that all files are read with. */
  #looking: Promise<void> | null = null;

  constructor(parts: BackupScheduleParts) {
    this.#parts = parts;
    this.#timer = parts.clock.every(LOOK_AGAIN_MS, () => this.#look());
    this.#unfollow = parts.declared.onChange(({ backup }) => void this.#follow(backup));
    void this.#follow(parts.declared.current().backup);
  }

  get status(): BackupStatus {
    return {
      schedule: this.#declared,
      nextAtMs: this.#nextAtMs,
      lastSuccess: this.#lastSuccess,
      lastFailure: this.#lastFailure ?? this.#trouble,
    };
  }

  /** `status` after a look at the directory now, or after two seconds where that does not answer. */
  async lookNow(): Promise<BackupStatus> {
    const declared = this.#declared;
    if (declared !== null && this.#running === null) {
      const looked = this.#lookAtDirectory(declared);
      await new Promise<void>((resolve) => {
        const deadline = this.#parts.clock.after(ANSWER_MS, resolve);
        void looked.then(() => {
          deadline.cancel();
          resolve();
        });
      });
    }
    return this.status;
  }

  /** Begins no other, and resolves when the one under way has ended. */
  async close(): Promise<void> {
    this.#timer.cancel();
    this.#unfollow();
    await this.#running;
  }

  async #follow(declared: DeclaredBackup | null): Promise<void> {
    if (JSON.stringify(declared) === JSON.stringify(this.#declared)) return;
    this.#declared = declared;
    this.#nextAtMs = null;
    this.#lastFailure = null;
    this.#lacksDirectory = false;
    this.#trouble = null;
    if (declared === null) return;
    await this.#lookAtDirectory(declared);
    // What a former process made counts: a restart neither hurries a backup nor puts it off.
    const [newest] = listBackups(await namesIn(declared.directory));
    if (this.#declared !== declared) return;
    this.#nextAtMs = this.#planNext(declared, newest?.madeAtMs ?? null);
  }

  #planNext({ schedule }: DeclaredBackup, lastAtMs: number | null): number | null {
    const nowMs = this.#parts.clock.nowMs();
    if ('everyHours' in schedule) return lastAtMs === null ? nowMs : lastAtMs + schedule.everyHours * HOUR_MS;
    return new Cron(schedule.cron, { paused: true }).nextRun(new Date(nowMs))?.getTime() ?? null;
  }

  #lookAtDirectory(declared: DeclaredBackup): Promise<void> {
    this.#looking ??= this.#judgeDirectory(declared).finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** A mount that is missing is told of at once, and not in the night in which the first backup is due. */
  async #judgeDirectory(declared: DeclaredBackup): Promise<void> {
    const trouble = await troubleOf(declared.directory);
    if (this.#declared !== declared) return;
    if (trouble !== null && this.#trouble === null) {
      const { directory } = declared;
      this.#parts.log.warn(
        { directory, reason: trouble.detail, fix: trouble.fix },
        'no scheduled backup can be made',
      );
    }
    if (trouble === null && this.#trouble !== null) this.#onDirectoryBack(declared.directory);
    const atMs = this.#trouble?.atMs ?? this.#parts.clock.nowMs();
    this.#trouble = trouble === null ? null : { atMs, ...trouble };
  }

  /** What failed for want of it need not wait until it would be tried again. */
  #onDirectoryBack(directory: string): void {
    this.#parts.log.info({ directory }, 'the directory for backups is there again');
    if (!this.#lacksDirectory) return;
    this.#lacksDirectory = false;
    this.#lastFailure = null;
    this.#nextAtMs = this.#parts.clock.nowMs();
  }

  #look(): void {
    const declared = this.#declared;
    if (declared === null || this.#nextAtMs === null || this.#running !== null) return;
    if (this.#parts.clock.nowMs() < this.#nextAtMs) {
      void this.#lookAtDirectory(declared);
      return;
    }
    this.#running = this.#run(declared).finally(() => {
      this.#running = null;
    });
  }

  async #run(declared: DeclaredBackup): Promise<void> {
    const { desk, clock, log } = this.#parts;
    const { directory, keep, secrets } = declared;
    const startedAtMs = clock.nowMs();
    const file = join(directory, backupName(startedAtMs));
    try {
      const { sizeBytes, sha256 } = await desk.make(`${file}${DRAFT_SUFFIX}`, secrets);
      await rename(`${file}${DRAFT_SUFFIX}`, file);
      this.#lastSuccess = { atMs: startedAtMs, file, sizeBytes };
      this.#lastFailure = null;
      this.#lacksDirectory = false;
      this.#trouble = null;
      log.info({ file, sizeBytes, sha256 }, 'a backup was made');
      for (const name of planRotation(await namesIn(directory), keep)) {
        await rm(join(directory, name), { force: true });
      }
      if (this.#declared === declared) this.#nextAtMs = this.#planNext(declared, startedAtMs);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      const fix =
        error instanceof Error && 'fix' in error ? String(error.fix) : `look at the directory ${directory}`;
      await this.#lookAtDirectory(declared);
      this.#lastFailure = { atMs: startedAtMs, detail, fix };
      this.#lacksDirectory = this.#trouble !== null;
      log.error({ directory, reason: detail, fix }, 'a scheduled backup failed; it is tried again');
      if (this.#declared === declared) this.#nextAtMs = clock.nowMs() + RETRY_MS;
    }
  }
}

async function troubleOf(directory: string): Promise<{ detail: string; fix: string } | null> {
  try {
    await readdir(directory);
    await access(directory, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT') {
      return { detail: `${directory}: is not there`, fix: 'make it, or mount what holds it' };
    }
    const fix = `let the user that runs the control plane write into the directory ${directory}`;
    return { detail: `${directory}: cannot be written (${code})`, fix };
  }
}

/** None where the directory cannot be read: that shows when a backup is made there. */
async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []);
}
