import type { ContainerEngine } from '../../containers/container-engine.js';

/** A machine with more containers than that is asked no further. */
const MOST = 64;

/** The name of the running container that has a port of this host; `null`: none, so that a program has it. */
export async function findPortHolder(
  engine: ContainerEngine,
  port: number,
  signal: AbortSignal,
): Promise<string | null> {
  const running = (await engine.list(signal)).filter(({ state }) => state === 'running').slice(0, MOST);
  for (const { id, name } of running) {
    const details = await engine.inspect(id, signal);
    if (details?.ports.some(({ hostPort }) => hostPort === port)) return name;
  }
  return null;
}
