import { readdirSync, readFileSync } from 'node:fs';

/**
 * Ends the monitors (conmon) of a Podman whose storage is in that folder. One that watched what was run in a container
 * by the API lives on for five minutes, and then would have Podman make its folders anew.
 */
export function endMonitors(storage: string): void {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [program = '', ...args] = commandLine(name);
    if (!program.endsWith('/conmon') || !args.includes(storage)) continue;
    try {
      process.kill(Number(name), 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
