import type { DemoFabric, HostSummary } from './demo-fabric.js';

const GIB = 1024 ** 3;

interface RoleSummary {
  readonly name: string;
  readonly state: string;
  readonly servedBy: string | null;
}

/** One screen of what the fabric knows now, as lines. */
export async function readStatusScreen(fabric: DemoFabric): Promise<string[]> {
  const hosts = await fabric.hosts();
  const roles = (await fabric.rest.api<{ items: RoleSummary[] }>('/roles')).items;
  return [
    'HOST             STATE    CARD                         VRAM              GPU    TEMP   POWER   CPU',
    ...hosts.map(hostLine),
    '',
    'ROLE                 STATE         ANSWERED BY',
    ...roles.map((role) => `${role.name.padEnd(20)} ${role.state.padEnd(13)} ${role.servedBy ?? '-'}`),
  ];
}

function hostLine(host: HostSummary): string {
  const card = host.inventory?.gpus[0];
  const reading = card ? host.sample?.gpus[card.uuid] : undefined;
  const live = host.presence === 'online' ? reading : undefined;
  const columns = [
    host.name.padEnd(16),
    host.presence.padEnd(8),
    (card?.name.replace('NVIDIA GeForce ', '') ?? cardless(host)).padEnd(28),
    (live ? `${gib(live.vramUsedBytes)} / ${gib(live.vramTotalBytes)}` : '-').padEnd(17),
    (live ? percent(live.utilisationRatio) : '-').padEnd(6),
    (live?.temperatureCelsius == null ? '-' : `${live.temperatureCelsius} °C`).padEnd(6),
    (live?.powerWatts == null ? '-' : `${Math.round(live.powerWatts)} W`).padEnd(7),
    host.presence === 'online' ? percent(host.sample?.host.cpuRatio ?? null) : '-',
  ];
  return columns.join(' ').trimEnd();
}

function cardless(host: HostSummary): string {
  return host.issues.some((issue) => issue.code === 'no_gpu') ? 'no NVIDIA card' : '-';
}

function gib(bytes: number | null): string {
  return bytes === null ? '-' : `${(bytes / GIB).toFixed(1)} GiB`;
}

function percent(ratio: number | null): string {
  return ratio === null ? '-' : `${Math.round(ratio * 100)} %`;
}
