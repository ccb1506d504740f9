import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDashboard } from '../harness/dashboard.js';
import { readFullMetrics } from '../harness/metrics-fabric.js';
import { describeReal, promtool } from '../harness/real-part.js';
import { temporaryDirectory } from '../harness/temporary-directory.js';

describeReal('/metrics', [promtool], () => {
  it("holds to Prometheus' conventions", async () => {
    const input = await readFullMetrics();
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
