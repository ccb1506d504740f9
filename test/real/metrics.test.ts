import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BootedFabric } from '../harness/boot-fabric.js';
import { readDashboard } from '../harness/dashboard.js';
import { bootMetricsFabric, readMetrics } from '../harness/metrics-fabric.js';
import { describeReal, promtool } from '../harness/real-part.js';
import { temporaryDirectory } from '../harness/temporary-directory.js';

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

describeReal("Grafana's dashboard", [promtool], () => {
  it('asks in words that Prometheus understands', () => {
    const home = temporaryDirectory();
    const rules = readDashboard().expressions.map(({ expression }, index) => ({
      record: `panel:${index}`,
      expr: expression,
    }));
    const file = join(home.path, 'rules.json');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const check = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8', timeout: 60_000 });
    home.remove();
    expect(check.stderr).toBe('');
    expect(check.stdout).toContain(`${rules.length} rules found`);
  });
});
