import { BootedFabric } from './boot-fabric.js';

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
  return fabric;
}

export async function readMetrics(fabric: BootedFabric): Promise<string> {
  const answer = await fetch(`${fabric.controlPlane.url}/metrics`);
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
  return answer.text();
}
