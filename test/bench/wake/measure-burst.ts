import type { SleepingHost } from '../../harness/sleeping-hosts.js';
import { eventually } from '../../simulators/common/eventually.js';
import type { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import type { Rounds } from '../rounds.js';
import { type Answered, ask } from './client.js';
import type { NotingEngine } from './noting-engine.js';

export interface BurstStage {
  readonly controlPlane: ControlPlaneProcess;
  readonly engine: NotingEngine;
  readonly host: SleepingHost;
  /** That it serves: each is asked by a key of its own. A role holds so many requests and no more. */
  readonly roles: readonly string[];
}

const CLASSES = ['interactive', 'normal'];
const TAKEN_DEADLINE_MS = 30_000;
/** What a request that may not wait is told. */
const REFUSALS = new Set(['waking', 'host_asleep', 'no_capacity', 'loading']);

/** So many requests come while one host is woken, whose model takes one at a time. */
export async function measureBurst(stage: BurstStage, requests: number, rounds: Rounds): Promise<void> {
  const { controlPlane, engine, host, roles } = stage;
  const askers = await Promise.all(
    roles.map(async (role) => {
      const key = { name: `${role}-${performance.now()}`, mayWake: true };
      const { secret } = await controlPlane.api<{ secret: string }>('/keys', key);
      return { role, secret };
    }),
  );
  await host.sleep();
  host.manner = 'agent_only';
  engine.arrivals.length = 0;
  const before = await flightsOf(controlPlane, host.name);
  const groups = askers.flatMap((asker) => CLASSES.map((requestClass) => ({ ...asker, requestClass })));
  const asked: Promise<Answered | null>[] = [];
  let ended = 0;
  const isTaken = async () => (await heldBy(controlPlane)) + ended >= asked.length;
  for (let turn = 0; asked.length < requests; turn += 1) {
    for (const [group, { role, secret, requestClass }] of groups.entries()) {
      const headers = { authorization: `Bearer ${secret}`, 'x-fabric-class': requestClass };
      const says = `${group} ${turn}`;
      const answer = ask({ port: controlPlane.port, model: role, says, headers }).catch(() => null);
      asked.push(
        answer.finally(() => {
          ended += 1;
        }),
      );
    }
    // One of each key and class at a time: which of two sockets is read first nobody says.
    await eventually('each is held or answered', isTaken, TAKEN_DEADLINE_MS);
  }
  rounds.add('burst_held', asked.length - ended);
  host.manner = 'serves';
  await host.serve();
  const answers = await Promise.all(asked);
  const served = answers.filter((answer) => answer?.text.includes('[DONE]')).length;
  const refused = answers.filter((answer) => answer !== null && isDeclared(answer)).length;
  rounds.add('burst_unanswered', answers.length - served - refused);
  rounds.add('burst_refused', refused);
  const flights = (await flightsOf(controlPlane, host.name)) - before;
  if (flights === 0) throw new Error(`nobody woke ${host.name}: ${answers[0]?.text.slice(0, 300)}`);
  rounds.add('burst_flights', flights);
  rounds.add('burst_out_of_turn', outOfTurn(engine.arrivals.map(({ says }) => says)));
}

function isDeclared({ text }: Answered): boolean {
  const code = /"code":"([a-z_]+)"/.exec(text)?.[1];
  return code !== undefined && REFUSALS.has(code);
}

/** Those that were served before one of their key and class that came earlier. */
function outOfTurn(served: readonly string[]): number {
  const last = new Map<string, number>();
  let count = 0;
  for (const says of served) {
    const [group = '', turn = ''] = says.split(' ');
    const before = last.get(group) ?? -1;
    if (Number(turn) < before) count += 1;
    last.set(group, Math.max(before, Number(turn)));
  }
  return count;
}

async function heldBy(controlPlane: ControlPlaneProcess): Promise<number> {
  const lines = (await controlPlane.metrics()).matchAll(/^ai_fabric_held_requests\{[^}]*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function flightsOf(controlPlane: ControlPlaneProcess, host: string): Promise<number> {
  const { items } = await controlPlane.api<{ items: readonly unknown[] }>(`/wakes?host=${host}&limit=200`);
  return items.length;
}
