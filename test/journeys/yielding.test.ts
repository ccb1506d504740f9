import type { OwnerReport } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentHost } from '../harness/agent-host.js';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { errorOf } from '../harness/raw-http.js';
import { runAgentCli } from '../harness/run-program.js';
import { servedKeeper } from '../harness/served-keeper.js';
import { eventually } from '../simulators/common/eventually.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

/** Its desktop alone, then with a game. */
const DESKTOP = { ...SAMPLE_CARDS.rtx4070, vramUsedMib: 600, load: 0 };
const GAME = { ...DESKTOP, vramUsedMib: 6_000, load: 0.95 };
const QUIET_SECONDS = 6;

const FABRIC = `
version: 1
hosts:
  armitage:
    owner: { quietMinutes: ${QUIET_SECONDS / 60}, action: park, drainSeconds: 5 }
deployments:
  deep: { host: armitage, task: chat, engine: vllm, model: example/deep }
roles:
  chat-deep: { task: chat, targets: [{ deployment: deep }] }
`;

let engine: VllmSimulator;
let controlPlane: BootedControlPlane;
let host: AgentHost;

beforeEach(async () => {
  engine = await startVllmSimulator({ name: 'deep', model: 'deep' });
  controlPlane = await BootedControlPlane.boot({ fabric: FABRIC });
  const port = Number(new URL(engine.url).port);
  host = await AgentHost.prepare({
    ...{ name: 'armitage', cards: { cards: [DESKTOP] } },
    openKeeper: servedKeeper(() => port),
  });
  await host.join(controlPlane.tlsUrl, await controlPlane.joinToken('armitage'));
  await host.start();
  await eventually('it serves', async () => (await chat()).status === 200);
  await eventually('its desktop is known', () => host.agent.status().owner?.foreignVramBytes != null);
});

afterEach(async () => {
  await host?.remove();
  await controlPlane?.close();
  await engine?.close();
});

function chat(): Promise<Response> {
  const messages = [{ role: 'user', content: 'Hello' }];
  return controlPlane.post('/v1/chat/completions', { model: 'chat-deep', messages, max_tokens: 4 });
}

interface HostAnswer {
  readonly presence: string;
  readonly owner: OwnerReport | null;
}

async function owner(): Promise<OwnerReport | null> {
  return (await controlPlane.api<HostAnswer>('/hosts/armitage')).owner;
}

/** As its agent tells it now: what it told before it left stands until it is back. */
const is = (state: OwnerReport['state']) => async (): Promise<boolean> => {
  const told = await controlPlane.api<HostAnswer>('/hosts/armitage');
  return told.presence === 'online' && told.owner?.state === state;
};

describe('the owner of a host', () => {
  test('starts a game: the card is theirs within seconds, and the fabric’s again when it was quiet', async () => {
    await host.nvidiaSmi?.change({ cards: [GAME] });
    const seenAtMs = performance.now();
    await eventually('the card is given', is('yielded'));
    const tookSeconds = (performance.now() - seenAtMs) / 1_000;
    expect(await owner()).toMatchObject({
      cause: 'foreign_use',
      freedSeconds: expect.any(Number),
      foreignVramBytes: expect.any(Number),
    });
    expect((await owner())?.freedSeconds).toBeLessThanOrEqual(tookSeconds);
    expect(host.agent.status().replicas).toMatchObject([{ phase: 'parked' }]);
    const refused = await chat();
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(errorOf(await refused.text())).toMatchObject({
      code: 'yielded',
      message: expect.stringContaining('armitage'),
    });
    await host.nvidiaSmi?.change({ cards: [DESKTOP] });
    await eventually('the card is back', is('serving'), 30_000);
    await eventually('it serves again', async () => (await chat()).status === 200);
  });

  test('gets the card from an operator, who takes it back', async () => {
    await controlPlane.api('/hosts/armitage/yield', { method: 'POST' });
    await eventually('the card is given', is('yielded'));
    expect((await owner())?.cause).toBe('operator');
    await controlPlane.api('/hosts/armitage/unyield', { method: 'POST' });
    await eventually('it serves again', async () => (await chat()).status === 200);
  });

  test('takes the card at the host, keeps it over a restart and against an operator, and gives it back', async () => {
    const given = await runAgentCli(['yield', '--state', host.stateDirectory]);
    expect(given).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/the cards are the owner’s.*free \d/),
    });
    await eventually('the control plane knows', async () => (await owner())?.cause === 'owner');
    await host.stop();
    await host.start();
    await eventually('it is as before', is('yielded'));
    await controlPlane.api('/hosts/armitage/unyield', { method: 'POST' });
    expect((await owner())?.state).toBe('yielded');
    expect((await chat()).status).toBe(503);
    const taken = await runAgentCli(['unyield', '--state', host.stateDirectory]);
    expect(taken).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('the cards are the fabric’s'),
    });
    await eventually('it serves again', async () => (await chat()).status === 200);
  });

  test('is told where no agent runs', async () => {
    await host.stop();
    const asked = await runAgentCli(['yield', '--state', host.stateDirectory]);
    expect(asked).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('No agent runs here') });
  });
});
