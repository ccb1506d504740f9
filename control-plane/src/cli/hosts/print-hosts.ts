import { type ContainerEngineReport, countOf, type HostPolicy } from '@ai-fabric/shared';
import type { z } from 'zod';
import type { hostDetailSchema, hostSchema } from '../../api/schemas.js';
import { describePhase } from '../decide/judge-upgrade.js';
import { age, gib, mibPerSecond, percent, printTable } from '../output.js';
import { describePower } from './describe-power.js';
import { agentText } from './run-upgrades.js';

export type Host = z.infer<typeof hostSchema>;
export type HostDetail = z.infer<typeof hostDetailSchema>;

/** Of a host without a link, where more is known than that. */
const NAMED_STATES: ReadonlySet<string> = new Set(['asleep', 'waking']);

export function printHosts(hosts: readonly Host[]): void {
  const nowMs = Date.now();
  printTable(
    ['HOST', 'STATE', 'SEEN', 'AGENT', 'CARD', 'VRAM', 'GPU', 'CPU', 'ISSUES'],
    hosts.map((host) => hostRow(host, nowMs)),
  );
}

/** The line of one host. What an away host last told is no reading of now, and is left out. */
export function hostRow(host: Host, nowMs: number): readonly string[] {
  const [card] = host.inventory?.gpus ?? [];
  const sample = isLive(host) ? host.sample : null;
  const reading = card ? sample?.gpus[card.uuid] : undefined;
  return [
    host.name,
    presenceText(host),
    host.presence === 'online' ? 'now' : age(host.lastSeenMs, nowMs),
    agentText(host) ?? '-',
    card ? cardText(host) : '-',
    reading ? `${gib(reading.vramUsedBytes)} of ${gib(reading.vramTotalBytes)}` : '-',
    percent(reading?.utilisationRatio),
    percent(sample?.host.cpuRatio),
    host.issues.map((issue) => issue.code).join(', ') || '-',
  ];
}

/** Behind each value that a host without a link told last. */
export function lastKnownMark(host: Pick<Host, 'presence' | 'lastSeenMs'>, nowMs: number): string {
  return isLive(host) ? '' : ` (last known, ${age(host.lastSeenMs, nowMs)} ago)`;
}

/** A late host's values are some seconds old. */
function isLive({ presence }: Pick<Host, 'presence'>): boolean {
  return presence === 'online' || presence === 'late';
}

function presenceText(host: Host): string {
  if (host.revokedAtMs !== null) return 'revoked';
  if (host.draining) return `${host.presence}, draining`;
  if (isLive(host) && host.owner && host.owner.state !== 'serving')
    return `${host.presence}, ${host.owner.state}`;
  if (host.presence === 'away' && NAMED_STATES.has(host.power.state)) return host.power.state;
  if (host.presence === 'away' && host.mayBeAway) return 'away (normal)';
  return host.presence;
}

/** As "online for 3 h, draining". */
export function presenceSince(
  host: Pick<Host, 'presence' | 'presenceSinceMs' | 'mayBeAway' | 'draining' | 'revokedAtMs'>,
  nowMs: number,
): string {
  const { presence, mayBeAway, draining, revokedAtMs } = host;
  const normal = presence === 'away' && mayBeAway && revokedAtMs === null ? ' (normal)' : '';
  const since = `${presence}${normal} for ${age(host.presenceSinceMs, nowMs)}`;
  if (revokedAtMs !== null) return `revoked, ${since}`;
  return draining ? `${since}, draining` : since;
}

/** As "cards yielded for 12 min (foreign_use: …), free 3.4 s after they were wanted". */
export function ownerText(
  { owner, ownerSinceMs }: Pick<Host, 'owner' | 'ownerSinceMs'>,
  nowMs: number,
): string {
  if (owner === null) return 'nothing is known of its owner: its agent is away, or too old to tell';
  const { state, cause, detail, freedSeconds } = owner;
  const since = ownerSinceMs === null ? '' : ` for ${age(ownerSinceMs, nowMs)}`;
  const why = cause === null ? (detail ?? '') : `${cause.replaceAll('_', ' ')}: ${detail ?? ''}`;
  const took = freedSeconds === null ? '' : `, last freed ${freedSeconds} s after they were wanted`;
  return `cards ${state}${since}${why === '' ? '' : ` (${why})`}${took}`;
}

/** "somebody is at it, over the network too"; `null`: it cannot be told. */
function presenceOfOwner({ owner }: Host): string | null {
  if (owner === null || owner.present === null) return null;
  const remote = owner.remoteSession ? 'somebody is signed in over the network' : null;
  const here = owner.present ? 'somebody is at it' : null;
  return [here, remote].filter((each) => each !== null).join(', ') || 'nobody is at it';
}

function cardText(host: Host): string {
  const gpus = host.inventory?.gpus ?? [];
  const name = gpus[0]?.name.replace(/^NVIDIA (GeForce )?/, '') ?? '-';
  return gpus.length > 1 ? `${gpus.length} × ${name}` : name;
}

export function printHost(host: HostDetail): void {
  const nowMs = Date.now();
  const { inventory, sample } = host;
  console.log(`${host.name}: ${presenceSince(host, nowMs)}`);
  printIdentity(host, nowMs);
  for (const [label, text] of describePower(host.power, nowMs)) line(label, text);
  printAgent(host);
  if (inventory) printInventory(inventory, nowMs);
  const mark = lastKnownMark(host, nowMs);
  if (sample) printReading(sample.host, mark);
  for (const gpu of inventory?.gpus ?? []) {
    const reading = sample?.gpus[gpu.uuid];
    line(
      'card',
      `${gpu.name}, driver ${gpu.driverVersion ?? '-'}, ${gib(reading?.vramUsedBytes)} of ${gib(gpu.vramTotalBytes)}, ` +
        `${percent(reading?.utilisationRatio)}, ${reading?.temperatureCelsius ?? '-'} °C, ${reading?.powerWatts ?? '-'} W${reading ? mark : ''}`,
    );
  }
  if (host.owner !== null) line('owner', `${ownerText(host, nowMs)}${mark}`);
  const atIt = presenceOfOwner(host);
  if (atIt !== null) line('at it', `${atIt}${mark}`);
  printDeployments(host, mark);
  for (const { containerId, name, deployment } of host.orphans) {
    line('orphan', `${containerId.slice(0, 12)} ${name}, of ${deployment}: nothing declares it`);
  }
  printIssues(host, nowMs);
  for (const { atMs, event, detail } of host.events) {
    line('event', `${timeText(atMs)}  ${event}${detail === null ? '' : ` (${detail})`}`);
  }
}

function printAgent(host: HostDetail): void {
  const { agentVersion, agentCommit, agentPackaged, protocolVersion, newerAgent, upgrade } = host;
  if (agentVersion === null) return;
  const built = [
    agentCommit === null ? null : `commit ${agentCommit.slice(0, 7)}`,
    protocolVersion === null ? null : `protocol ${protocolVersion}`,
    agentPackaged === null ? null : agentPackaged ? 'packaged' : 'from a checkout',
  ].filter((each) => each !== null);
  const what = built.length === 0 ? agentVersion : `${agentVersion} (${built.join(', ')})`;
  line('agent', `${what} from ${host.peerAddress ?? '-'}${skewText(host.clockSkewMs)}`);
  if (newerAgent !== null) {
    line('newer agent', `${newerAgent}; to offer it: ai-fabric hosts upgrade ${host.name}`);
  }
  if (upgrade !== null) line('upgrade', `to ${upgrade.version}, ${describePhase(upgrade)}`);
}

function printIdentity(host: HostDetail, nowMs: number): void {
  if (host.identity) {
    const { enrolledAtMs, keySha256, machineSha256 } = host.identity;
    line('joined', `${timeText(enrolledAtMs)}, ${age(enrolledAtMs, nowMs)} ago`);
    line('identity', `${host.hostId ?? '-'}, key ${short(keySha256)}, machine ${short(machineSha256)}`);
  }
  if (host.revokedAtMs !== null) line('revoked', `${timeText(host.revokedAtMs)}; its key is refused`);
  if (!host.declared) line('declared', 'no: it joined, and fabric.yaml does not name it');
  line('last seen', host.presence === 'online' ? 'now' : age(host.lastSeenMs, nowMs));
  if (host.goodbyeReason) line('said goodbye', host.goodbyeReason);
  if (host.identityConflict) {
    const { kind, linkedFrom, triedFrom, tries, firstTryMs } = host.identityConflict;
    const who = kind === 'another_machine' ? 'another machine' : 'a second agent';
    const what = kind === 'another_key' ? 'wants to join under its name' : 'has its key';
    const own = linkedFrom === null ? 'has no link' : `is linked from ${linkedFrom}`;
    const when = `${countOf(tries, 'try', 'tries')} since ${timeText(firstTryMs)}`;
    line('cloned', `${who} at ${triedFrom} ${what}; its own agent ${own}; ${when}`);
  }
}

function printInventory(inventory: NonNullable<Host['inventory']>, nowMs: number): void {
  line('system', `${inventory.osName}, ${inventory.kernel}, ${inventory.architecture}`);
  line('booted', `${timeText(inventory.bootedAtMs)}, ${age(inventory.bootedAtMs, nowMs)} ago`);
  const memory = gib(inventory.memoryTotalBytes);
  line('processor', `${inventory.cpuModel}, ${countOf(inventory.cpuThreads, 'thread')}, ${memory}`);
  if (inventory.containerEngine) line('containers', describeEngine(inventory.containerEngine));
  if (inventory.policy) line('owner allows', describePolicy(inventory.policy));
  for (const each of inventory.interfaces) {
    const gateway = each.gatewayMac === null ? '' : `, gateway ${each.gatewayMac}`;
    line('interface', `${each.name} ${each.mac} ${each.kind} ${each.addresses.join(' ')}${gateway}`);
  }
}

const ENGINE_NAMES: Readonly<Record<string, string>> = { docker: 'Docker', podman: 'Podman' };

/** Which container engine the agent found, or why none. */
export function describeEngine(engine: ContainerEngineReport): string {
  if (!engine.reachable) return `no engine reachable (${engine.code}): ${engine.detail}`;
  const { flavour, version, rootless, desktop } = engine;
  if (desktop) return `Docker Desktop ${version}, reachable`;
  return `${ENGINE_NAMES[flavour] ?? flavour} ${version}, ${rootless ? 'rootless' : 'rootful'}, reachable`;
}

/** The rules by which most is refused; all of them are in the JSON. */
export function describePolicy(policy: HostPolicy): string {
  const { images, models, power, upgrades, upgradeMode, memoryLimitGigabytes } = policy;
  const flags = ['trustRemoteCode', 'plugins', 'pickle', 'requireDigest'] as const;
  return [
    `images ${images.join(', ') || 'none'}`,
    `models ${models.join(', ') || 'none'}`,
    ...(memoryLimitGigabytes === null ? [] : [`containers of ${memoryLimitGigabytes} GB at most`]),
    `power ${power.join(', ') || 'none'}`,
    `upgrades ${upgradeMode ?? (upgrades ? 'yes' : 'no')}`,
    ...flags.filter((flag) => policy[flag]),
  ].join('; ');
}

function printReading(reading: NonNullable<Host['sample']>['host'], mark: string): void {
  const of = (used: number | null, total: number | null) => `${gib(used)} of ${gib(total)}${mark}`;
  line('CPU', `${percent(reading.cpuRatio)}${mark}`);
  line('memory', of(reading.memoryUsedBytes, reading.memoryTotalBytes));
  line('disk', of(reading.diskUsedBytes, reading.diskTotalBytes));
  const { networkReceivedBytesPerSecond: received, networkSentBytesPerSecond: sent } = reading;
  line('network', `${mibPerSecond(received)} in, ${mibPerSecond(sent)} out${mark}`);
}

function printDeployments(host: HostDetail, mark: string): void {
  for (const { name, servedModel, roles, status } of host.deployments) {
    const state = status === null ? 'not reported yet' : `${status.phase}${detailText(status.detail)}${mark}`;
    line('deployment', `${name} (${servedModel}), ${state}, for ${roles.join(', ') || 'no role'}`);
  }
  line('requests', `${host.requestsInFlight} under way`);
}

function printIssues(host: HostDetail, nowMs: number): void {
  for (const { severity, code, subject, detail, fix, sinceMs } of host.issues) {
    line(severity, `${code} (${subject}) for ${age(sinceMs, nowMs)}: ${detail}`);
    if (fix) console.log(`                → ${fix}`);
  }
}

function line(label: string, text: string): void {
  console.log(`  ${label.padEnd(13)} ${text}`);
}

function skewText(skewMs: number | null): string {
  if (skewMs === null) return '';
  const seconds = Math.round(skewMs / 100) / 10;
  return seconds === 0
    ? ', clock right'
    : `, clock ${Math.abs(seconds)} s ${seconds > 0 ? 'behind' : 'ahead'}`;
}

function detailText(detail: string | null): string {
  return detail === null ? '' : ` (${detail})`;
}

function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

function short(sha256: string): string {
  return sha256.slice(0, 16);
}
