import { eventually } from '../simulators/common/eventually.js';

interface Telemetry {
  readonly points: readonly { readonly atMs: number; readonly samples: number }[];
}

/**
 * The seconds in which a host has samples: the start of each, oldest first. What is asked again where the control plane
 * could not read in time, which a clock that runs ahead makes likely.
 */
export async function sampleTimes(
  ask: (path: string) => Promise<Telemetry>,
  host: string,
  from: number | string,
): Promise<number[]> {
  let answer: Telemetry | undefined;
  const since = typeof from === 'number' ? Math.floor(from) : from;
  await eventually('the telemetry is answered', async () => {
    answer = await ask(`/hosts/${host}/telemetry?from=${since}&step=1s&fields=host.cpuRatio`).catch(
      (error: Error) => {
        if (!error.message.includes('query_unanswered')) throw error;
        return undefined;
      },
    );
    return answer !== undefined;
  });
  return (answer?.points ?? []).filter(({ samples }) => samples > 0).map(({ atMs }) => atMs);
}
