import { namePortHolder, type WantedPlace } from './decide/name-port-holder.js';

/** Windows answers through PowerShell, which may take this long on a busy machine. */
const ANSWER_WITHIN_MS = 5_000;

/** Who listens on a port that is taken, in words. Best effort: an account sees the names of its own programs only. */
export async function portHolder(place: WantedPlace): Promise<string> {
  // Only where a port is taken: it is large, and asks the system's tools.
  const { default: systeminformation } = await import('systeminformation');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<[]>((resolve) => {
    timer = setTimeout(() => resolve([]), ANSWER_WITHIN_MS);
  });
  const sockets = await Promise.race([systeminformation.networkConnections().catch(() => []), late]);
  clearTimeout(timer);
  return namePortHolder(sockets, place);
}
