import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BootedFabric } from '../harness/boot-fabric.js';
import { bootMetricsFabric, readMetrics } from '../harness/metrics-fabric.js';
import { describeReal, promtool } from '../harness/real-part.js';

describeReal('/metrics', [promtool], () => {
  let fabric: BootedFabric;
  beforeAll(async () => {
    fabric = await bootMetricsFabric();
  });
  afterAll(() => fabric?.close());

  it("holds to Prometheus' conventions", async () => {
    const input = await readMetrics(fabric);
    const check = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8', timeout: 60_000 });
    expect(`${check.stdout}${check.stderr}`).toBe('');
    expect(check.status).toBe(0);
  });
});
