import type { EarlierVersion, InstalledVersion } from '../installed-record.js';
import { PLACES, SERVICE } from '../service-places.js';
import { compareVersions } from './compare-versions.js';
import { judgePorts } from './judge-ports.js';
import type { Refusal, ServiceFacts } from './service-facts.js';
import type { ServiceStep } from './service-step.js';
import { setVariables } from './variables.js';

export interface InstallWishes {
  readonly offered: InstalledVersion & { readonly bytes: number };
  /** Variables that flags asked for. */
  readonly variables: Readonly<Record<string, string>>;
  /** Names among the addresses that flags asked for which this machine does not know. */
  readonly unknownHosts: readonly string[];
  /** Where the backup before an upgrade goes. */
  readonly backupFile: string;
}

export type InstallPlan =
  | { readonly ok: false; readonly refusal: Refusal }
  | {
      readonly ok: true;
      /** `repair`: the version that is there already. */
      readonly kind: 'install' | 'upgrade' | 'repair';
      readonly steps: readonly ServiceStep[];
      /** What an upgrade goes back to. */
      readonly from: EarlierVersion | null;
    };

const MIB = 1024 * 1024;
/** A disk that is filled to its last byte stops more than us. */
const SPARE_BYTES = 50 * MIB;
const BACKUPS_KEPT = 2;

/** What an installation, an upgrade or a repair does, in order; or why nothing is done. */
export function planInstall(facts: ServiceFacts, wishes: InstallWishes): InstallPlan {
  const refusal = refuseMachine(facts) ?? refuseOffer(facts, wishes);
  if (refusal !== null) return { ok: false, refusal };
  const { offered } = wishes;
  const current = facts.record?.current ?? null;
  const kind = current === null ? 'install' : current.folder === offered.folder ? 'repair' : 'upgrade';
  const schema = facts.registry.kind === 'sound' ? facts.registry.schema : null;
  const backup = schema === null ? null : wishes.backupFile;
  const from = kind === 'upgrade' && current !== null ? { ...current, schema, backup } : null;
  const prepared = prepare(facts, wishes);
  const isChanged = prepared.some((step) => step.kind === 'set_variables') || !facts.unit.isAsOffered;
  const steps: ServiceStep[] = [
    ...prepared,
    ...(from === null ? [] : [{ kind: 'note_upgrade' } as const]),
    // A repair that changes nothing lets it run on.
    ...(facts.unit.active && (kind !== 'repair' || isChanged) ? [{ kind: 'stop' } as const] : []),
    ...(from?.backup == null ? [] : [{ kind: 'back_up', file: from.backup } as const]),
    { kind: 'switch', folder: offered.folder },
    { kind: 'write_unit', folder: offered.folder },
    { kind: 'enable' },
    ...(facts.isImage ? [] : [{ kind: 'start' } as const, { kind: 'prove' } as const]),
    { kind: 'note_done' },
    ...dropOthers(facts, offered.folder, from),
    ...(kind === 'upgrade' ? dropBackups(facts) : []),
  ];
  return { ok: true, kind, steps, from };
}

export const NOT_ROOT: Refusal = {
  ...{ code: 'not_root', message: 'only root may install, change or remove a service' },
  fix: 'run it with sudo',
};

/** What an installation and everything that changes one needs of the machine. */
export function refuseMachine({ isRoot, systemd, isImage, unit }: ServiceFacts): Refusal | null {
  if (!isRoot) return NOT_ROOT;
  if (!systemd && !isImage) {
    const message = 'systemd does not run this machine';
    const fix =
      'run "ai-fabric up" under the service manager that is there, or in a container (see the Containerfile)';
    return { code: 'no_systemd', message, fix };
  }
  if (unit.kind !== 'foreign') return null;
  const message = `a service named ${SERVICE} is there already and is not ours (${unit.path ?? 'made at run time'})`;
  const fix = `look at it with "systemctl cat ${SERVICE}"; remove it, or give it another name`;
  return { code: 'service_is_foreign', message, fix };
}

function refuseOffer(facts: ServiceFacts, wishes: InstallWishes): Refusal | null {
  const { offered } = wishes;
  const current = facts.record?.current ?? null;
  if (current !== null && compareVersions(offered.version, current.version) < 0) {
    const message = `${current.version} is installed; this archive holds ${offered.version}, which is older`;
    const earlier = facts.record?.previous?.version;
    const fix =
      earlier === undefined
        ? 'use the archive of a newer version'
        : `"--rollback" returns to ${earlier}, which was there before`;
    return { code: 'older_version', message, fix };
  }
  if (facts.registry.kind === 'refused') {
    const { detail, fix } = facts.registry;
    return { code: 'registry_refused', message: detail, fix };
  }
  const [link] = facts.linked;
  if (link !== undefined) {
    const message = `${link.path} is a link to ${link.target}: systemd starts no service there, and a removal would leave all of it`;
    const fix = `remove the link; to have it on another disk, mount that there: mount --bind ${link.target} ${link.path}`;
    return { code: 'folder_taken', message, fix };
  }
  return refuseRoom(facts, wishes) ?? judgePorts(facts, wishes.variables) ?? refuseHosts(wishes);
}

/** An address that is not there yet is waited for; a name that nobody knows stops the service at each start. */
function refuseHosts({ unknownHosts }: InstallWishes): Refusal | null {
  if (unknownHosts.length === 0) return null;
  const message = `this machine knows no address of ${unknownHosts.join(', ')}`;
  const fix = 'give --host an address, or a name that "getent hosts" finds here; nothing was changed';
  return { code: 'host_unknown', message, fix };
}

function refuseRoom(
  { freeBytes, registry, versionsThere }: ServiceFacts,
  wishes: InstallWishes,
): Refusal | null {
  const { offered } = wishes;
  const program = versionsThere.includes(offered.folder) ? 0 : offered.bytes;
  const data = registry.kind === 'sound' ? 2 * registry.bytes : 0;
  const wants = [
    { place: PLACES.program, free: freeBytes.program, needed: program + SPARE_BYTES },
    { place: PLACES.data, free: freeBytes.data, needed: data + SPARE_BYTES },
  ];
  const short = wants.find(({ free, needed }) => free !== null && free < needed);
  if (short === undefined) return null;
  const mib = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;
  const message = `the disk of ${short.place} has ${mib(short.free ?? 0)} free; ${mib(short.needed)} are needed`;
  return { code: 'no_space', message, fix: 'make room there; nothing was changed' };
}

function prepare(facts: ServiceFacts, { offered, variables }: InstallWishes): ServiceStep[] {
  const directory = (path: string, mode: number, ours = false): ServiceStep[] =>
    facts.directoriesThere.includes(path) ? [] : [{ kind: 'make_directory', path, mode, ours }];
  const { fabricFile, variables: text } = facts.settingsThere;
  const changes = text !== null && setVariables(text, variables) === text ? {} : variables;
  return [
    // First: what was made is written down there.
    ...directory(PLACES.settings, 0o755),
    ...(facts.account === null ? [{ kind: 'make_user' } as const] : []),
    ...directory(PLACES.program, 0o755),
    ...directory(PLACES.versions, 0o755),
    ...directory(PLACES.data, 0o700, true),
    { kind: 'place_version', folder: offered.folder },
    ...(fabricFile ? [] : [{ kind: 'write_starter' } as const]),
    ...(text !== null && Object.keys(changes).length === 0
      ? []
      : [{ kind: 'set_variables', changes } as const]),
    ...(facts.command === 'none' ? [{ kind: 'link_command' } as const] : []),
  ];
}

/** The version before stays for `--rollback`; a repair leaves what there is. */
function dropOthers(facts: ServiceFacts, folder: string, from: EarlierVersion | null): ServiceStep[] {
  const kept = new Set([folder, (from ?? facts.record?.previous)?.folder]);
  const folders = facts.versionsThere.filter((each) => !kept.has(each));
  return folders.length === 0 ? [] : [{ kind: 'drop_versions', folders }];
}

/** Of upgrades long ago; the newest stay, with the one that this upgrade makes. */
function dropBackups({ backupsThere }: ServiceFacts): ServiceStep[] {
  const files = backupsThere.slice(0, -BACKUPS_KEPT);
  return files.length === 0 ? [] : [{ kind: 'drop_backups', files }];
}

/** What one who installs is told beside the steps. */
export function noteCommand(command: ServiceFacts['command']): string | null {
  if (command === 'foreign') {
    return `${PLACES.command} is somebody else's and stays: call ${PLACES.current}/bin/ai-fabric`;
  }
  if (command !== 'read_only') return null;
  return `/usr cannot be written, so there is no ${PLACES.command}: call ${PLACES.current}/bin/ai-fabric`;
}
