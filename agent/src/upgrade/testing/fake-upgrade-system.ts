import type { ReleaseArtefact, ReleaseManifest, UpgradeMode } from '@ai-fabric/shared';
import { manifestOf } from '@ai-fabric/shared/testing';
import type { ServiceFacts } from '../decide/plan-upgrade-step.js';
import type { Health } from '../health.js';
import { UpgradeError } from '../upgrade-error.js';
import type { UpgradeRecord } from '../upgrade-record.js';
import type { UpgradeIntake, UpgradeSystem } from '../upgrade-system.js';

/** The power is cut, or the process killed. */
export class Cut extends Error {
  override readonly name = 'Cut';
}

export const OLD = '/opt/a/versions/0.1.0-old';
export const NEW = `/opt/a/versions/0.2.0-${'34'.repeat(6)}`;

/** How the newer version behaves once it is current. */
export type Behaviour =
  | 'links'
  | 'never_links'
  | 'crashes'
  | 'does_not_start'
  | 'lies'
  | 'links_and_crashes'
  | 'links_and_is_blind';

/**
 * A machine whose disk and service are in memory. It can be cut off before or after any change that it makes; what was
 * changed stays.
 */
export class FakeUpgradeSystem implements UpgradeSystem {
  record: UpgradeRecord | null = null;
  currentFolder: string | null = OLD;
  readonly versions = new Set([OLD]);
  behaviour: Behaviour = 'links';
  isArmed = false;
  notedVersion = '0.1.0';
  /** Each change, by its name. */
  readonly changes: string[] = [];
  /** A change is cut off here: `before` it has its effect, or `after`. */
  cutAt: { readonly change: number; readonly when: 'before' | 'after' } | null = null;
  finishings = 0;
  #running: { readonly folder: string; readonly pid: number } | null = { folder: OLD, pid: 100 };
  #looks = 0;
  readonly #onCurrent: (folder: string | null) => void;

  constructor(onCurrent: (folder: string | null) => void = () => undefined) {
    this.#onCurrent = onCurrent;
  }

  get runs(): string | null {
    return this.#running?.folder ?? null;
  }

  /** After a boot whatever is current runs. */
  boot(): void {
    this.#run();
  }

  readRecord(): Promise<UpgradeRecord | null> {
    return Promise.resolve(this.record);
  }

  writeRecord(record: UpgradeRecord): Promise<void> {
    return this.#change(`record ${record.stage}`, () => {
      this.record = record;
    });
  }

  current(): Promise<string | null> {
    return Promise.resolve(this.currentFolder);
  }

  makeCurrent(folder: string): Promise<void> {
    return this.#change(`current ${folder}`, () => {
      if (!this.versions.has(folder)) throw new Error(`${folder} is not there`);
      this.currentFolder = folder;
      this.#onCurrent(folder);
    });
  }

  restart(): Promise<void> {
    return this.#change('restart', () => {
      this.#run();
      if (this.#running === null) throw new Error('Job failed');
    });
  }

  service(): Promise<ServiceFacts> {
    this.#looks += 1;
    const isBad = this.#running?.folder === NEW;
    const crashes =
      isBad && (this.behaviour === 'crashes' || (this.behaviour === 'links_and_crashes' && this.#looks > 2));
    return Promise.resolve({ pid: crashes ? null : (this.#running?.pid ?? null), restarts: crashes ? 3 : 0 });
  }

  health(): Promise<Health | null> {
    if (this.#running === null) return Promise.resolve(null);
    const { folder, pid } = this.#running;
    const seen = { cards: 1, engine: true };
    if (folder === OLD) return Promise.resolve({ version: '0.1.0', pid, linkedSinceMs: 1, seen });
    const links = this.behaviour.startsWith('links') || this.behaviour === 'lies';
    const isBlind = this.behaviour === 'links_and_is_blind';
    const version = this.behaviour === 'lies' ? '0.1.9' : '0.2.0';
    return Promise.resolve({
      ...{ version, pid, linkedSinceMs: links ? 2 : null },
      seen: isBlind ? { ...seen, cards: 0 } : seen,
    });
  }

  arm(): Promise<void> {
    return this.#change('arm', () => {
      this.isArmed = true;
    });
  }

  startFinishing(): Promise<void> {
    return this.#change('start finishing', () => {
      this.finishings += 1;
    });
  }

  disarm(): Promise<void> {
    return this.#change('disarm', () => {
      this.isArmed = false;
    });
  }

  noteVersion(version: string): Promise<void> {
    return this.#change('note version', () => {
      this.notedVersion = version;
    });
  }

  keepOnly(folders: readonly string[]): Promise<void> {
    return this.#change('keep only', () => {
      for (const folder of this.versions) {
        if (folder !== this.currentFolder && !folders.includes(folder)) this.versions.delete(folder);
      }
    });
  }

  /** What the intake changes is cut off in the same way. */
  place(folder: string): Promise<void> {
    return this.#change('place', () => {
      this.versions.add(folder);
    });
  }

  #run(): void {
    const folder = this.currentFolder;
    this.#looks = 0;
    if (folder === null || (folder === NEW && this.behaviour === 'does_not_start')) this.#running = null;
    else this.#running = { folder, pid: (this.#running?.pid ?? 100) + 1 };
  }

  async #change(name: string, effect: () => void): Promise<void> {
    const isCut = this.cutAt?.change === this.changes.length;
    // Whoever was cut off does nothing more, whatever it makes of the error.
    const isDead = this.cutAt !== null && this.changes.length > this.cutAt.change;
    if (isDead || (isCut && this.cutAt?.when === 'before')) throw new Cut(name);
    this.changes.push(name);
    effect();
    if (isCut) throw new Cut(name);
    await Promise.resolve();
  }
}

export interface FakeIntake extends UpgradeIntake {
  mode_: UpgradeMode;
  approved: string | null;
  manifest: Uint8Array | null;
  signature: string | null;
  free: number;
  damaged: string | null;
}

/** A staged release of version 0.2.0. */
export function fakeIntake(system: FakeUpgradeSystem, change: Partial<ReleaseManifest> = {}): FakeIntake {
  const manifest = manifestOf({ version: '0.2.0', keySha256: null, ...change });
  const intake: FakeIntake = {
    ...{ mode_: 'auto', approved: null, signature: null, free: 1e12, damaged: null },
    manifest: new TextEncoder().encode(JSON.stringify(manifest)),
    mode: () => Promise.resolve(intake.mode_),
    approvedSha256: () => Promise.resolve(intake.approved),
    staged: () =>
      Promise.resolve(
        intake.manifest === null ? null : { manifestBytes: intake.manifest, signature: intake.signature },
      ),
    freeBytes: () => Promise.resolve(intake.free),
    place: async ({ name }: { readonly name: string; readonly files: ReleaseArtefact['files'] }) => {
      if (intake.damaged !== null) throw new UpgradeError('damaged', intake.damaged);
      const folder = `/opt/a/versions/${name}`;
      await system.place(folder);
      return { folder };
    },
  };
  return intake;
}
