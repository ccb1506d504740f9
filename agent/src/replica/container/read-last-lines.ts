import type { ContainerEngine } from '../../containers/container-engine.js';

const LINES = 200;

/** The last lines of a container, oldest first; empty where they cannot be read: an end is told without them too. */
export async function readLastLines(
  engine: ContainerEngine,
  id: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const lines: string[] = [];
  try {
    for await (const { text } of engine.logs(id, { follow: false, tailLines: LINES }, signal)) {
      lines.push(text);
      if (lines.length > LINES) lines.shift();
    }
  } catch {
    return lines;
  }
  return lines;
}
