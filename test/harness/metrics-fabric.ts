import { eventually } from '../simulators/common/eventually.js';
import { BootedFabric } from './boot-fabric.js';
import { SleepingHosts } from './sleeping-hosts.js';

/** What comes with an agent's first readings, some moments after its replica is ready, and while requests wait. */
const LATE = [
  /^ai_fabric_gpu_\w+\{/m,
  /^ai_fabric_replica_requests_running\{/m,
  /^ai_fabric_target_external_load\{/m,
  /^ai_fabric_tunnel_streams\{/m,
  /^ai_fabric_hold_seconds_bucket\{/m,
  /^ai_fabric_held_requests\{/m,
  /^ai_fabric_wake_usual_seconds\{/m,
];

/** `/metrics` of a fabric that has something to say of everything: each of its metrics has at least one line. */
export async function readFullMetrics(): Promise<string> {
  const sleepers = await SleepingHosts.listen();
  const fabric = await BootedFabric.boot({
    config: { wakePorts: [sleepers.port] },
    hosts: {
      armitage: { cards: {}, engines: { 'qwen-armitage': {} } },
      motoko: {
        cards: { behaviour: { kind: 'driver_not_loaded' } },
        engines: { 'slow-motoko': { maxConcurrent: 1, speed: { decodeTokensPerSecond: 20 } } },
      },
      wintermute: { mayBeAway: true, agent: 'none' },
      hosaka: { mayBeAway: true, agent: 'none', engines: { 'deep-hosaka': {} } },
    },
    cloud: {},
    roles: {
      'chat-fast': { targets: ['qwen-armitage', 'openai/cheap'] },
      'chat-deep': { targets: ['slow-motoko'] },
      'chat-hasty': { targets: ['slow-motoko'], patienceSeconds: 0.2 },
    },
  });
  const hangUp = new AbortController();
  try {
    await wakeOnce(fabric, sleepers);
    for (const more of [{}, { stream: true }]) await (await fabric.chat('chat-fast', more)).text();
    await (await fabric.chat('no-such-model')).text();
    await fabric.engine('qwen-armitage').fault({ kind: 'status500', times: 1 });
    await (await fabric.chat('chat-fast')).text();
    await holdRequests(fabric, hangUp.signal);
    let text = '';
    await eventually('everything has a line', async () => {
      text = await readMetrics(fabric);
      return LATE.every((line) => line.test(text));
    });
    return text;
  } finally {
    hangUp.abort();
    await sleepers.close();
    await fabric.close();
  }
}

/** How long wakes take is told of a host that was woken. */
async function wakeOnce({ controlPlane }: BootedFabric, sleepers: SleepingHosts): Promise<void> {
  const sleeper = await sleepers.add(controlPlane, 'hosaka', ['deep-hosaka']);
  await sleeper.sleep();
  await controlPlane.api('/hosts/hosaka/wake?waitSeconds=60', { method: 'POST' });
}

/** One that takes the only slot, one whose patience is over, and one that goes on waiting. */
async function holdRequests(fabric: BootedFabric, signal: AbortSignal): Promise<void> {
  await fabric.chat('chat-deep', { stream: true, max_tokens: 5_000 }, { signal });
  await (await fabric.chat('chat-hasty')).text();
  fabric.chat('chat-deep', {}, { signal }).catch(() => {});
}

async function readMetrics(fabric: BootedFabric): Promise<string> {
  const answer = await fetch(`${fabric.controlPlane.url}/metrics`);
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
  return answer.text();
}
