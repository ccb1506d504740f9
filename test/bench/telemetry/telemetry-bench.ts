import { join } from 'node:path';
import type { Bench, BenchContext, Measured } from '../bench.js';
import { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { benchProgram } from '../fabric/programs.js';
import { BenchProcess } from '../machine/bench-process.js';
import { pause } from '../machine/pause.js';
import { corePercent } from '../machine/process-readings.js';
import { Rounds } from '../rounds.js';
import type { FleetAnswer } from './fleet-program.js';

const AGENTS = 1_000;
const SUBSCRIBERS = 20;
/**
 * After the last handshake: inventories are written, and V8 has compiled what runs each second, which takes half a
 * minute and a third of a core beside the rest.
 */
const SETTLE_MS = 30_000;
const ROUND_MS = 10_000;
/** Tells of the time since it was last read. */
const LOOP_DELAY = /^ai_fabric_event_loop_delay_p99_seconds ([\d.e+-]+)$/m;

export const telemetryBench: Bench = {
  name: 'telemetry',
  measures: `what ${AGENTS} agents at a report a second and ${SUBSCRIBERS} subscribers of the feed cost the control plane`,
  figures: [
    {
      name: 'core_percent',
      meaning: 'CPU time of the control plane, all threads, as a share of one core',
      limit: { atMost: 20 },
      from: 'mean',
    },
    { name: 'rss_mb', meaning: 'its resident memory', limit: { atMost: 250 }, from: 'greatest' },
    {
      name: 'loop_delay_p99_ms',
      meaning: "delay of its event loop, by perf_hooks' histogram, whose own 10 ms interval is in it",
      limit: { atMost: 20 },
      from: 'median',
    },
  ],
  run: runTelemetryBench,
};

async function runTelemetryBench(context: BenchContext): Promise<Measured> {
  const { machine, directory, progress } = context;
  const fabricYaml = JSON.stringify({ version: 1, hosts: {} });
  const controlPlane = await ControlPlaneProcess.prepare({ context, role: 'measured', fabricYaml });
  await controlPlane.start();
  const fleet = new BenchProcess({
    name: 'the fleet',
    machine,
    role: 'load',
    file: process.execPath,
    args: [benchProgram('telemetry/fleet-program')],
    logFile: join(directory, 'fleet.log'),
    messages: true,
  });
  context.atEnd(() => fleet.stop());
  const { tlsPort, adminToken } = controlPlane;
  progress(`making ${AGENTS} join tokens`);
  const joinTokens: string[] = [];
  for (let made = 0; made < AGENTS; made += 1) joinTokens.push(await controlPlane.createJoinToken());
  progress(`linking ${AGENTS} agents`);
  refuseLosses(await fleet.ask<FleetAnswer>({ type: 'link', tlsPort, joinTokens }, 300_000));
  await controlPlane.untilOnline(AGENTS, 30_000);
  progress(`opening ${SUBSCRIBERS} subscriptions of the feed`);
  refuseLosses(
    await fleet.ask<FleetAnswer>({ type: 'subscribe', tlsPort, adminToken, subscribers: SUBSCRIBERS }),
  );
  await pause(SETTLE_MS);
  return measureSteady(context, controlPlane, fleet);
}

async function measureSteady(
  context: BenchContext,
  controlPlane: ControlPlaneProcess,
  fleet: BenchProcess,
): Promise<Measured> {
  const rounds = new Rounds();
  const readsDelay = LOOP_DELAY.test(await controlPlane.metrics());
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}, ${ROUND_MS / 1_000} s of steady reports`);
    const sentBefore = await fleet.ask<FleetAnswer>({ type: 'count' });
    const before = controlPlane.process.readings();
    await pause(ROUND_MS);
    const after = controlPlane.process.readings();
    const sentAfter = await fleet.ask<FleetAnswer>({ type: 'count' });
    refuseLosses(sentAfter);
    const seconds = (after.atMs - before.atMs) / 1_000;
    const reports = sentAfter.reports - sentBefore.reports;
    rounds.add('core_percent', corePercent(before, after));
    rounds.add('rss_mb', after.rssBytes / 1e6);
    const delay = LOOP_DELAY.exec(await controlPlane.metrics())?.[1];
    if (delay !== undefined) rounds.add('loop_delay_p99_ms', Number(delay) * 1_000);
    rounds.add('reports_per_second', reports / seconds);
    rounds.add('report_bytes', (sentAfter.reportBytes - sentBefore.reportBytes) / reports);
    rounds.add('feed_messages_per_second', (sentAfter.feedMessages - sentBefore.feedMessages) / seconds);
    rounds.add('feed_mb_per_second', (sentAfter.feedBytes - sentBefore.feedBytes) / seconds / 1e6);
  }
  const reason = '/metrics has no ai_fabric_event_loop_delay_p99_seconds';
  return {
    rounds: rounds.all,
    leftOut: readsDelay ? [] : [{ figure: 'loop_delay_p99_ms', reason }],
    notes: [],
  };
}

/** A figure of fewer agents than it names is none. */
function refuseLosses({ lost }: FleetAnswer): void {
  if (lost.length > 0) throw new Error(`the fleet lost links: ${lost.join('; ')}`);
}
