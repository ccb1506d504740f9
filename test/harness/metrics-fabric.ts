import { eventually } from '../simulators/common/eventually.js';
import { BootedFabric } from './boot-fabric.js';

/** What comes with an agent's first readings, some moments after its replica is ready. */
const READINGS = [
  /^ai_fabric_gpu_\w+\{/m,
  /^ai_fabric_replica_requests_running\{/m,
  /^ai_fabric_target_external_load\{/m,
];

/** A fabric that has something to say of everything: each of its metrics has at least one line. */
export async function bootMetricsFabric(): Promise<BootedFabric> {
  const fabric = await BootedFabric.boot({
    hosts: {
      armitage: { cards: {}, engines: { 'qwen-armitage': {} } },
      motoko: { cards: { behaviour: { kind: 'driver_not_loaded' } } },
      wintermute: { mayBeAway: true, agent: 'none' },
    },
    cloud: {},
    roles: { 'chat-fast': { targets: ['qwen-armitage', 'openai/cheap'] } },
  });
  for (const more of [{}, { stream: true }]) await (await fabric.chat('chat-fast', more)).text();
  await (await fabric.chat('no-such-model')).text();
  await fabric.engine('qwen-armitage').fault({ kind: 'status500', times: 1 });
  await (await fabric.chat('chat-fast')).text();
  await eventually('each reading has a line', async () => {
    const text = await readMetrics(fabric);
    return READINGS.every((line) => line.test(text));
  });
  return fabric;
}

export async function readMetrics(fabric: BootedFabric): Promise<string> {
  const answer = await fetch(`${fabric.controlPlane.url}/metrics`);
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
  return answer.text();
}
