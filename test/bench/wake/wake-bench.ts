import { type HistoryVerdict, runWakeHistory } from '@ai-fabric/control-plane/testing';
import { SleepingHosts } from '../../harness/sleeping-hosts.js';
import type { Bench, BenchContext, Measured } from '../bench.js';
import { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { Rounds } from '../rounds.js';
import { measureBurst } from './measure-burst.js';
import { measureWakes } from './measure-wakes.js';
import { YieldingHost } from './measure-yields.js';
import { NotingEngine } from './noting-engine.js';

const WAKES = 200;
const HOSTS = 10;
const BURST = 1_000;
const BURST_HOST = 'burst';
const WORKSTATION = 'workstation';
const BURST_ROLES = ['burst-a', 'burst-b', 'burst-c', 'burst-d'];
const HISTORIES = 500;
const HISTORIES_SHOWN = 100;
const NONE = { limit: { atMost: 0 }, from: 'greatest' } as const;

const HISTORY_FIGURES: Readonly<Record<keyof HistoryVerdict, string>> = {
  requests: 'history_requests',
  served: 'history_served',
  refused: 'history_refused',
  lost: 'history_lost',
  wakes: 'history_wakes',
  sleeps: 'history_sleeps',
  unanswered: 'history_unanswered',
  doubleFlights: 'history_double_flights',
  flaps: 'history_flaps',
  sleepsWithWork: 'history_sleeps_with_work',
  staleCommands: 'history_stale_commands',
  staleRefused: 'history_stale_refused',
  cuts: 'history_cuts',
  relaysLost: 'history_relays_lost',
  restarts: 'history_restarts',
};

export const wakeBench: Bench = {
  name: 'wake',
  measures:
    'what the gateway adds to a wake, a thousand requests during one, histories of sleepers, an owner’s game',
  figures: [
    {
      name: 'packet_out_p95_ms',
      meaning: `from the request to its host’s first packet, 19 of 20 of ${WAKES} wakes`,
      limit: { atMost: 50 },
      from: 'median',
    },
    {
      name: 'forward_p95_ms',
      meaning: 'from the word that the model is ready to the held request at its engine',
      limit: { atMost: 300 },
      from: 'median',
    },
    {
      name: 'burst_unanswered',
      meaning: `of ${BURST} requests during one wake, those neither served nor refused as declared`,
      ...NONE,
    },
    {
      name: 'burst_flights',
      meaning: 'wakes that they caused',
      limit: { atMost: 1 },
      from: 'greatest',
    },
    {
      name: 'burst_out_of_turn',
      meaning: 'of them, those that were served before an earlier one of their key and class',
      ...NONE,
    },
    {
      name: 'history_unanswered',
      meaning: `requests of ${HISTORIES} random histories that were neither served nor refused`,
      ...NONE,
    },
    {
      name: 'history_double_flights',
      meaning: 'second wakes of a host under way, or of another host for the same requests',
      ...NONE,
    },
    {
      name: 'history_flaps',
      meaning:
        'hosts that a request woke though their last wake had just failed, or that slept by themselves right after one',
      ...NONE,
    },
    {
      name: 'history_sleeps_with_work',
      meaning: 'hosts that slept over their requests, or by themselves while any waited',
      ...NONE,
    },
    {
      name: 'history_stale_commands',
      meaning: 'commands of power that were obeyed though they meant another boot or link of the machine',
      ...NONE,
    },
    {
      name: 'yield_seconds',
      meaning:
        'from the first look that shows another’s load on the card until the card is asked for and free',
      limit: { atMost: 3 },
      from: 'median',
    },
  ],
  run: runWakeBench,
};

async function runWakeBench(context: BenchContext): Promise<Measured> {
  const rounds = new Rounds();
  const engine = await NotingEngine.listen();
  context.atEnd(() => engine.close());
  const sleeping = await SleepingHosts.listen();
  context.atEnd(() => sleeping.close());
  const names = Array.from({ length: HOSTS }, (_, index) => `sleeper-${index}`);
  const controlPlane = await ControlPlaneProcess.prepare({
    ...{ context, role: 'measured' as const },
    fabricYaml: describeFabric([...names, BURST_HOST], engine.url),
    environment: { AI_FABRIC_WAKE_PORTS: String(sleeping.port) },
  });
  await controlPlane.start();
  const home = {
    tlsUrl: `https://127.0.0.1:${controlPlane.tlsPort}`,
    joinToken: () => controlPlane.createJoinToken(),
    api: <Body>(path: string) => controlPlane.api<Body>(path),
  };
  context.progress(`joining ${HOSTS + 1} hosts`);
  const hosts = [];
  for (const name of names) hosts.push(await sleeping.add(home, name, [`of-${name}`]));
  const host = await sleeping.add(home, BURST_HOST, [`of-${BURST_HOST}`]);
  const stage = { port: controlPlane.port, engine, hosts };
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}: ${WAKES} wakes`);
    await measureWakes(stage, WAKES, rounds);
    context.progress(`round ${round} of ${context.rounds}: ${BURST} requests during one`);
    await measureBurst({ controlPlane, engine, host, roles: BURST_ROLES }, BURST, rounds);
  }
  context.progress('an owner who plays');
  const workstation = await YieldingHost.start(controlPlane, WORKSTATION);
  context.atEnd(() => workstation.close());
  for (let round = 1; round <= context.rounds; round += 1) await workstation.measure(rounds);
  await measureHistories(context, rounds);
  return {
    rounds: rounds.all,
    leftOut: [],
    notes: [
      'the control plane has the measured core; hosts, clients and their engine are one process beside it',
    ],
  };
}

/** The same each time: once is enough. */
async function measureHistories({ progress }: BenchContext, rounds: Rounds): Promise<void> {
  const sums = new Map<keyof HistoryVerdict, number>();
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    if (seed % HISTORIES_SHOWN === 1) progress(`histories from ${seed} on, of ${HISTORIES}`);
    const verdict = await runWakeHistory(seed);
    for (const name of Object.keys(verdict) as (keyof typeof verdict)[]) {
      sums.set(name, (sums.get(name) ?? 0) + verdict[name]);
    }
  }
  for (const [name, sum] of sums) rounds.add(HISTORY_FIGURES[name], sum);
}

function describeFabric(names: readonly string[], url: string): string {
  const each = <Value>(made: (name: string) => Value, keyOf = (name: string) => name) =>
    Object.fromEntries(names.map((name) => [keyOf(name), made(name)]));
  return JSON.stringify({
    version: 1,
    hosts: {
      ...each(() => ({ mayBeAway: true, wake: { timeoutSeconds: 120, cooldownMinutes: 0 } })),
      [WORKSTATION]: { owner: { quietMinutes: 0.1, action: 'park' } },
    },
    deployments: {
      played: { host: WORKSTATION, task: 'chat', engine: 'vllm', model: 'example/deep' },
      ...each(
        (host) => ({
          ...{ host, task: 'chat', engine: 'external', url, servedModel: 'm' },
          ...(host === BURST_HOST ? { maxConcurrent: 1 } : {}),
        }),
        (name) => `of-${name}`,
      ),
    },
    roles: {
      ...each(roleOf),
      ...Object.fromEntries(BURST_ROLES.map((role) => [role, roleOf(BURST_HOST)])),
    },
  });
}

function roleOf(host: string): object {
  return { task: 'chat', patienceSeconds: 600, targets: [{ deployment: `of-${host}` }] };
}
