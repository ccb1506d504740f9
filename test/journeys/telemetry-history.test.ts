import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { LightHost } from '../harness/light-host.js';
import { type CliResult, runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';

interface Telemetry {
  readonly resolution: string;
  readonly points: readonly {
    readonly state: string;
    readonly samples: number;
    readonly backfilled: boolean;
    readonly host: { readonly cpuRatio: { readonly avg: number | null } } | null;
  }[];
  readonly stretches: readonly { readonly kind: string }[];
}

const MINUTE_MS = 60_000;
const FABRIC = fabricYaml({ hosts: { armitage: {} } });

describe('the history of a host’s telemetry', () => {
  let controlPlane: BootedControlPlane;
  let armitage: LightHost;

  const ask = (query: string): Promise<Telemetry> =>
    controlPlane.api<Telemetry>(`/hosts/armitage/telemetry?${query}`);
  const samplesIn = ({ points }: Telemetry): number => points.reduce((sum, { samples }) => sum + samples, 0);
  const run = (...args: readonly string[]): Promise<CliResult> =>
    runCli([...args, '--data', controlPlane.dataDirectory]);

  beforeEach(async () => {
    controlPlane = await BootedControlPlane.boot({ fabric: FABRIC });
    const { tlsUrl } = controlPlane;
    armitage = new LightHost({ tlsUrl, name: 'armitage', joinToken: await controlPlane.joinToken() });
    await armitage.link();
    armitage.reportSample(3 * 24 * 60 * MINUTE_MS);
    armitage.reportSample(90 * MINUTE_MS);
    armitage.reportSample();
    await eventually('the samples are taken', async () => samplesIn(await ask('from=5m&step=5')) === 1);
  });
  afterEach(async () => {
    await armitage.close();
    await controlPlane.close();
  });

  test('has what was backfilled in its place, and outlives the control plane', async () => {
    const before = await ask('from=5d');
    expect([before.resolution, samplesIn(before)]).toEqual(['10m', 3]);
    await armitage.close();
    await controlPlane.close(true);
    const { dataDirectory } = controlPlane;
    controlPlane = await BootedControlPlane.boot({ fabric: FABRIC, dataDirectory });
    const after = await ask('from=5d');
    const filled = ({ points }: Telemetry) => points.filter(({ samples }) => samples > 0);
    expect(filled(after)).toEqual(filled(before));
    expect(filled(after).map(({ backfilled }) => backfilled)).toEqual([true, true, false]);
    expect(filled(after)[0]?.host?.cpuRatio.avg).toBe(0.25);
    const lastHours = await ask('from=2h');
    expect([lastHours.resolution, samplesIn(lastHours)]).toEqual(['1m', 2]);
  });

  test('is a table on the command line, and says what is wrong with a question', async () => {
    const telemetry = (host: string, ...args: string[]) => run('hosts', 'telemetry', host, ...args);
    const [shown, json, years, tooFine, unknown] = await Promise.all([
      telemetry('armitage', '--from', '2h', '--step', '10m'),
      telemetry('armitage', '--from', '2h', '--fields', 'host', '--json'),
      telemetry('armitage', '--from', '3650d'),
      telemetry('armitage', '--from', '30d', '--step', '1m'),
      telemetry('motoko'),
    ]);
    expect(shown.stderr).toBe('');
    expect(shown.stdout).toMatch(/TIME \(UTC\) +STATE +cpuRatio/);
    expect(shown.stdout).toMatch(/reporting, backfilled +25 %/);
    expect(shown.stdout).toMatch(/backfilled from \d{4}-/);
    expect(samplesIn(JSON.parse(json.stdout) as Telemetry)).toBe(2);
    expect(years.stdout).toContain('note: telemetry is kept for 400 days');
    expect([tooFine.exitCode, tooFine.stderr]).toEqual([4, expect.stringContaining('at most 2000')]);
    expect(unknown.exitCode).toBe(3);
    // Five programs at once, on whatever machine.
  }, 60_000);
});
