import { judgeUpgrade, type UpgradingHost } from '../decide/judge-upgrade.js';

/** A host as the upgrade of many looks at it. */
export interface UpgradableHost extends UpgradingHost {
  readonly name: string;
  /** The version that lies at the control plane and is newer; `null`: none. */
  readonly newerAgent: string | null;
}

/** What came of one host. `answer`: what its agent said; `away`: it could not be asked; `kept`: it was not asked. */
export interface UpgradeRow {
  readonly host: string;
  readonly from: string | null;
  readonly version: string;
  readonly answer: 'done' | 'refused' | 'failed' | 'away' | 'kept';
  readonly code: string | null;
  readonly detail: string | null;
  /** Whether it runs the version now, and is well; `null`: that was not waited for. */
  readonly proven: boolean | null;
}

/** How hosts are asked and looked at. */
export interface UpgradePort {
  /** An answer of the agent, or why it could not be asked. */
  offer(host: UpgradableHost): Promise<Omit<UpgradeRow, 'proven'>>;
  look(host: string): Promise<UpgradingHost>;
  pause(): Promise<void>;
  /** Monotonic. */
  nowMs(): number;
  /** What goes on, for people. */
  tell(text: string, phase: string): void;
}

export interface UpgradeOrder {
  /** In the order in which they are asked. */
  readonly hosts: readonly UpgradableHost[];
  /** So many must take it and be proven before the rest is asked; 0: all are asked at once. */
  readonly canary: number;
  /** All that take it are waited for. */
  readonly wait: boolean;
  readonly timeoutMs: number;
}

export interface UpgradesEnded {
  readonly rows: readonly UpgradeRow[];
  /** Why the rest was not asked, or what was waited for in vain. */
  readonly problem: string | null;
}

/** Offers a newer agent to hosts: first to so many canaries, to the rest when those are proven. */
export async function runUpgrades(order: UpgradeOrder, port: UpgradePort): Promise<UpgradesEnded> {
  const waiting = [...order.hosts];
  const rows: UpgradeRow[] = [];
  if (order.canary > 0) {
    const canaries = await offerTo(waiting, order.canary, rows, port);
    const problem = await untilProven(canaries, order.timeoutMs, rows, port);
    if (problem !== null) {
      const left = waiting.map((host) => keptRow(host));
      const why = left.length === 0 ? problem : `${problem}; ${left.length} more were not asked`;
      return { rows: [...rows, ...left], problem: why };
    }
  }
  const taken = await offerTo(waiting, Number.POSITIVE_INFINITY, rows, port);
  const problem = order.wait ? await untilProven(taken, order.timeoutMs, rows, port) : null;
  return { rows, problem };
}

interface Taken {
  readonly before: UpgradableHost;
  readonly version: string;
}

/** Asks one after the other until so many took it. Takes those that it asked out of `waiting`. */
async function offerTo(
  waiting: UpgradableHost[],
  count: number,
  rows: UpgradeRow[],
  port: UpgradePort,
): Promise<readonly Taken[]> {
  const taken: Taken[] = [];
  while (taken.length < count) {
    const before = waiting.shift();
    if (before === undefined) break;
    const said = await port.offer(before);
    rows.push({ ...said, proven: null });
    if (said.answer === 'done') taken.push({ before, version: said.version });
  }
  return taken;
}

/** @returns what is wrong; `null`: all of them are proven */
async function untilProven(
  taken: readonly Taken[],
  timeoutMs: number,
  rows: UpgradeRow[],
  port: UpgradePort,
): Promise<string | null> {
  const deadlineMs = port.nowMs() + timeoutMs;
  let open = [...taken];
  while (open.length > 0) {
    const still: Taken[] = [];
    const states: string[] = [];
    for (const each of open) {
      const { name } = each.before;
      const { state, detail } = judgeUpgrade(each.before, await port.look(name), each.version);
      if (state === 'failed') {
        prove(rows, name, false);
        return `${name}: ${detail}`;
      }
      if (state === 'proven') prove(rows, name, true);
      else {
        still.push(each);
        states.push(`${name}: ${detail}`);
      }
    }
    open = still;
    if (open.length === 0) return null;
    port.tell(states.join('; '), states.join());
    if (port.nowMs() >= deadlineMs) {
      for (const { before } of open) prove(rows, before.name, false);
      return `not after ${Math.round(timeoutMs / 1_000)} s: ${states.join('; ')}`;
    }
    await port.pause();
  }
  return null;
}

function prove(rows: UpgradeRow[], host: string, proven: boolean): void {
  const at = rows.findIndex((row) => row.host === host);
  const row = rows[at];
  if (row !== undefined) rows[at] = { ...row, proven };
}

function keptRow({ name, agentVersion, newerAgent }: UpgradableHost): UpgradeRow {
  const version = newerAgent ?? '';
  return { host: name, from: agentVersion, version, answer: 'kept', code: null, detail: null, proven: null };
}

/** As "0.1.0 → 0.2.0 (rolled back)"; `null` for a host that never had an agent. */
export function agentText(
  host: Pick<UpgradableHost, 'agentVersion' | 'newerAgent' | 'upgrade'>,
): string | null {
  const { agentVersion, newerAgent, upgrade } = host;
  if (agentVersion === null) return null;
  const newer = newerAgent === null ? '' : ` → ${newerAgent}`;
  const under =
    upgrade === null || upgrade.phase === 'done' ? '' : ` (${upgrade.phase.replaceAll('_', ' ')})`;
  return `${agentVersion}${newer}${under}`;
}
