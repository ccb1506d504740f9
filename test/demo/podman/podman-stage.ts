import type { DemoPorts } from '../demo-programs.js';
import type { DemoStage, SetUpStep } from '../demo-stage.js';
import { takeTour } from '../take-tour.js';
import { CONTAINER, DEPLOYMENT, PodmanFabric, ROLE } from './podman-fabric.js';
import { readPodmanScreen } from './podman-screen.js';
import { declareModel, podmanTour } from './podman-tour.js';

const MIB = 1024 ** 2;

/** A replica that is a container of real Podman, from its declaration to its end. */
export function podmanStage(ports: DemoPorts): DemoStage {
  const ending = new AbortController();
  const fabric = new PodmanFabric(ports, ending.signal);
  const { directory, url, tlsUrl, dataDirectory } = fabric.programs;
  let underWay: Promise<unknown> = Promise.resolve();
  const watched = <Outcome>(work: Promise<Outcome>): Promise<Outcome> => {
    underWay = work;
    return work;
  };
  return {
    directory,
    start: (step, scripted) => watched(start(fabric, step, scripted)),
    takeTour: (tell) => watched(takeTour(podmanTour, fabric, tell)),
    invitation: () => ({
      ...{ kind: 'podman_up', url, tlsUrl, dataDirectory, role: ROLE, deployment: DEPLOYMENT },
      ...{ container: CONTAINER, socketPath: fabric.machine.socketPath },
    }),
    readScreen: () => readPodmanScreen(fabric),
    endOfControlPlane: () => fabric.programs.endOfControlPlane(),
    close: async (keepFiles) => {
      ending.abort(new Error('the demo was ended'));
      // Nothing may be started behind the back of what takes it all down.
      await underWay.catch(() => {});
      await fabric.close(keepFiles);
    },
  };
}

async function start(fabric: PodmanFabric, step: SetUpStep, scripted: boolean): Promise<void> {
  await step('an image of the simulated vLLM, in a registry on loopback', () => fabric.startRegistry());
  await step('Podman, with storage, network and socket of its own', () => fabric.startPodman());
  await step('control plane on SQLite', () => fabric.startControlPlane());
  await step(`agent (${fabric.host}), a simulated card`, () => fabric.startAgent());
  if (scripted) return;
  const size = Math.round(fabric.registry.layerBytes / MIB);
  await step(`"${DEPLOYMENT}" is declared: ${size} MiB pulled, a container made, a token proven`, () =>
    declareModel(fabric),
  );
}
