import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentHost } from '../harness/agent-host.js';
import { ControlPlaneProcess } from '../harness/control-plane-process.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { describeThorough } from '../harness/real-part.js';
import { type CliResult, runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

interface Learned {
  readonly iterationSeconds: number;
  readonly observations: number;
  readonly bytesPerToken: number;
}

// Windows has no SIGTERM: there a stop is what a kill is.
describeThorough(
  'what the router has learned of an engine',
  { timeout: 60_000, skip: process.platform === 'win32' },
  () => {
    let controlPlane: ControlPlaneProcess;
    let engine: VllmSimulator;
    let host: AgentHost;

    beforeAll(async () => {
      controlPlane = new ControlPlaneProcess();
      engine = await startVllmSimulator({ model: 'served', gaugeColdMs: 0 });
      await controlPlane.start({
        fabric: fabricYaml({
          hosts: { armitage: {} },
          deployments: {
            'qwen-armitage': { host: 'armitage', task: 'chat', url: engine.url, servedModel: 'served' },
          },
          roles: { 'chat-fast': { targets: ['qwen-armitage'] } },
        }),
      });
      host = await AgentHost.prepare({ name: 'armitage', cadenceMs: 250 });
      await host.join(controlPlane.tlsUrl, await controlPlane.joinToken());
      await host.start();
    }, 60_000);
    afterAll(async () => {
      await host?.remove();
      await controlPlane.close();
      await engine.close();
    });

    const cli = (...args: readonly string[]): Promise<CliResult> =>
      runCli(['deployments', ...args, '--data', controlPlane.dataDirectory]);
    const learned = async (): Promise<Learned> => {
      const shown = await controlPlane.api<{ learned: Learned }>('/deployments/qwen-armitage');
      return shown.learned;
    };
    const chat = async (): Promise<number> => {
      const answer = await fetch(`${controlPlane.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'chat-fast',
          messages: [{ role: 'user', content: 'Hello' }],
          stream: true,
        }),
      });
      await answer.text();
      return answer.status;
    };
    const restart = async (): Promise<void> => {
      await controlPlane.stop();
      await controlPlane.start();
    };

    test('is shown, outlives the control plane, and can be forgotten', async () => {
      await eventually('it serves', async () => (await chat()) === 200);
      for (let count = 0; count < 10; count += 1) expect(await chat()).toBe(200);
      const before = await learned();
      expect(before.observations).toBeGreaterThan(5);
      expect((await cli('show', 'qwen-armitage')).stdout).toMatch(
        /answers +\d.* ms an iteration.*from \d+ obs/,
      );

      await restart();
      await eventually(
        'it is what it was',
        async () => (await learned()).observations === before.observations,
      );
      expect(await learned()).toMatchObject({
        iterationSeconds: before.iterationSeconds,
        bytesPerToken: before.bytesPerToken,
      });

      const forgotten = await cli('forget-rates', 'qwen-armitage');
      expect(forgotten).toMatchObject({ exitCode: 0, stderr: '' });
      expect((await cli('show', 'qwen-armitage')).stdout).toContain('(a guess: it has answered nothing yet)');
      const { items } = await controlPlane.api<{ items: { operationId: string }[] }>('/audit');
      expect(items.map(({ operationId }) => operationId)).toContain('forgetRates');
      await restart();
      await eventually('its agent is back', async () => (await chat()) === 200);
      expect((await learned()).observations).toBeLessThan(5);

      const unknown = await cli('forget-rates', 'qwen-armitag');
      expect(unknown.exitCode).not.toBe(0);
      expect(unknown.stderr).toContain('qwen-armitage');
    });
  },
);
