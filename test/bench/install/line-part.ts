import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SystemdMachine } from '../../harness/systemd-machine.js';
import { systemd } from '../../harness/systemd-root.js';
import type { BenchContext, Measured } from '../bench.js';
import { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { pause } from '../machine/pause.js';
import { corePercent } from '../machine/process-readings.js';
import { Rounds } from '../rounds.js';
import type { InstallPart } from './install-part.js';
import { packageRelease } from './package-release.js';
import { readService } from './read-service.js';

const HOST_NAME = 'bench-host';
const UNIT = 'ai-fabric-agent.service';
const AGENT = '/usr/local/bin/ai-fabric-agent';
const LINE_DEADLINE_MS = 120_000;
/** Inventories are over, and V8 has given back what they needed. */
const SETTLE_MS = 30_000;
const IDLE_ROUND_MS = 10_000;
/** So that a link counts as having held, and none of the backoff before it is left. */
const STEADY_MS = 3_000;

export const linePart: InstallPart = {
  name: 'line',
  figures: [
    {
      name: 'line_to_linked_s',
      meaning:
        'from pasting the line on a fresh Debian to the host being online: fetched, checked, placed, joined, started',
      limit: { atMost: 20 },
      from: 'median',
    },
    {
      name: 'start_to_link_ms',
      meaning: 'from systemd starting the process of the installed service to the host being online',
      limit: { atMost: 1_500 },
      from: 'median',
    },
    {
      name: 'idle_rss_mb',
      meaning: 'resident memory of the installed service, without cards and replicas',
      limit: { atMost: 85 },
      from: 'greatest',
    },
    {
      name: 'idle_core_percent',
      meaning: 'its CPU time as a share of one core, that of its children too',
      limit: { atMost: 0.5 },
      from: 'mean',
    },
  ],
  measure: measureLine,
};

interface Stage {
  readonly context: BenchContext;
  readonly controlPlane: ControlPlaneProcess;
  readonly machine: SystemdMachine;
  readonly rounds: Rounds;
}

async function measureLine(context: BenchContext): Promise<Measured> {
  const absence = systemd.absence();
  if (absence !== null) return leftOut(absence);
  const release = await provideRelease(context);
  const fabricYaml = JSON.stringify({ version: 1, hosts: { [HOST_NAME]: {} } });
  const controlPlane = await ControlPlaneProcess.prepare({
    ...{ context, role: 'load', fabricYaml },
    environment: { AI_FABRIC_RELEASE_DIR: release },
  });
  await controlPlane.start();
  context.progress('booting a Debian in systemd-nspawn');
  const core = context.machine.pinning?.measured;
  const machine = await SystemdMachine.create({
    hostName: HOST_NAME,
    ...(core === undefined ? {} : { core }),
  });
  context.atEnd(() => machine.close());
  await machine.boot();
  const stage = { context, controlPlane, machine, rounds: new Rounds() };
  for (let round = 1; round <= context.rounds; round += 1) await installOnce(stage, round);
  await measureStarts(stage);
  await measureIdle(stage);
  return {
    rounds: stage.rounds.all,
    leftOut: [],
    notes: ['the host is a container of systemd-nspawn on loopback: no network is in line_to_linked_s'],
  };
}

async function provideRelease(context: BenchContext): Promise<string> {
  const whole = join(context.directory, 'release');
  if (existsSync(join(whole, 'manifest.json'))) return whole;
  const out = join(context.directory, 'agent-release');
  context.progress('packaging the agent');
  await packageRelease(context, ['--out', out, '--only', 'agent-linux', '--no-xz']);
  return out;
}

/** Pasted as a user does; what the round before installed is purged first, which is not measured. */
async function installOnce(stage: Stage, round: number): Promise<void> {
  const { context, controlPlane, machine, rounds } = stage;
  if (round > 1) {
    await machine.must([AGENT, 'uninstall', '--purge', '--yes']);
    await controlPlane.untilOffline(LINE_DEADLINE_MS);
  }
  context.progress(`round ${round} of ${context.rounds}: pasting the line`);
  type NewToken = { readonly install: { readonly linux: string | null } | null };
  const { install } = await controlPlane.api<NewToken>('/join-tokens', { hostName: HOST_NAME });
  if (!install?.linux) throw new Error('the control plane prints no line: it serves no release');
  const pastedAtMs = performance.now();
  const pasting = machine.run(['bash'], { input: `${install.linux}\n`, timeoutMs: LINE_DEADLINE_MS });
  const linked = controlPlane.untilOnline(1, LINE_DEADLINE_MS).then(() => performance.now());
  const [{ exitCode, stdout, stderr }, linkedAtMs] = await Promise.all([pasting, linked]);
  if (exitCode !== 0) throw new Error(`the line ended with ${exitCode}:\n${stdout}${stderr}`);
  rounds.add('line_to_linked_s', (linkedAtMs - pastedAtMs) / 1_000);
  rounds.add('line_to_checklist_s', (performance.now() - pastedAtMs) / 1_000);
}

async function measureStarts({ context, controlPlane, machine, rounds }: Stage): Promise<void> {
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}: stop and start of the service`);
    await pause(STEADY_MS);
    await machine.must(['systemctl', 'stop', UNIT]);
    await controlPlane.untilOffline(LINE_DEADLINE_MS);
    await machine.must(['systemctl', 'start', UNIT]);
    await controlPlane.untilOnline(1, LINE_DEADLINE_MS);
    const linkedAtUs = Number(process.hrtime.bigint() / 1_000n);
    const started = await machine.must([
      'systemctl',
      'show',
      UNIT,
      '--value',
      '--property=ExecMainStartTimestampMonotonic',
    ]);
    rounds.add('start_to_link_ms', (linkedAtUs - Number(started.trim())) / 1_000);
  }
}

async function measureIdle({ context, controlPlane, machine, rounds }: Stage): Promise<void> {
  context.progress(`letting it settle, ${SETTLE_MS / 1_000} s`);
  await pause(SETTLE_MS);
  const shown = await machine.must(['systemctl', 'show', UNIT, '--value', '--property=MainPID']);
  const pid = machine.hostPidOf(Number(shown.trim()));
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}: idle, ${IDLE_ROUND_MS / 1_000} s`);
    const before = readService(pid);
    await pause(IDLE_ROUND_MS);
    const after = readService(pid);
    rounds.add('idle_rss_mb', after.rssBytes / 1e6);
    rounds.add('idle_children_rss_mb', after.childrenRssBytes / 1e6);
    rounds.add('idle_core_percent', corePercent(before, after));
  }
  if ((await controlPlane.hostsOnline()) !== 1) throw new Error('the agent lost its link while it was idle');
}

function leftOut(reason: string): Measured {
  return { rounds: {}, leftOut: linePart.figures.map(({ name }) => ({ figure: name, reason })), notes: [] };
}
