import { eventually } from '../simulators/common/eventually.js';
import { DemoFabric } from './demo-fabric.js';
import type { DemoPorts } from './demo-programs.js';
import type { DemoStage, SetUpStep } from './demo-stage.js';
import { readStatusScreen } from './status-screen.js';
import { takeTour } from './take-tour.js';
import { tour } from './tour.js';

/** The reference estate: this machine's real agent, simulated workstations and a simulated cloud. */
export function workstationsStage(ports: DemoPorts): DemoStage {
  const fabric = new DemoFabric(ports);
  const { directory, url, tlsUrl, dataDirectory } = fabric.programs;
  return {
    directory,
    start: (step) => start(fabric, step),
    takeTour: (tell) => takeTour(tour, fabric, tell),
    invitation: () => ({ kind: 'up', url, tlsUrl, dataDirectory }),
    readScreen: () => readStatusScreen(fabric),
    endOfControlPlane: () => fabric.programs.endOfControlPlane(),
    close: (keepFiles) => fabric.close(keepFiles),
  };
}

async function start(fabric: DemoFabric, step: SetUpStep): Promise<void> {
  await step('simulated engines and cloud', () => fabric.startEngines());
  await step('control plane on SQLite', () => fabric.startControlPlane());
  const names = [fabric.thisHost, 'motoko', 'armitage', 'wintermute'];
  await step(`this machine's agent (${fabric.thisHost}) and simulated motoko, armitage, wintermute`, () =>
    Promise.all(names.map((name) => fabric.startHost(name))),
  );
  await step('replicas prove a token', () => allReady(fabric));
  await step('wintermute is shut down', async () => {
    await fabric.wintermute.shutDown();
    await eventually(
      'wintermute is away',
      async () => (await presenceOf(fabric, 'wintermute')) === 'away',
      10_000,
    );
  });
}

async function allReady(fabric: DemoFabric): Promise<void> {
  await eventually(
    'every replica is ready',
    async () => {
      const { items } = await fabric.rest.api<{
        items: { observed: { status: { phase: string } } | null }[];
      }>('/deployments');
      return items.every((each) => each.observed?.status.phase === 'ready');
    },
    30_000,
  );
  await eventually(
    'every simulated card is known',
    async () => {
      const simulated = (await fabric.hosts()).filter((host) => host.name !== fabric.thisHost);
      return simulated.every((host) => (host.inventory?.gpus.length ?? 0) > 0);
    },
    30_000,
  );
}

async function presenceOf(fabric: DemoFabric, name: string): Promise<string | undefined> {
  return (await fabric.hosts()).find((host) => host.name === name)?.presence;
}
