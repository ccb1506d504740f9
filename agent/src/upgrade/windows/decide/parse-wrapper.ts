import { PROGRAM_NAME } from '../../../install/windows/decide/windows-paths.js';

/** The wrapper writes UTF-16 where it does not write to a console. */
function lettersOf(output: string): string {
  return output.replaceAll('\0', '').replace(/^\uFEFF|^\uFFFD+/, '');
}

const APPLICATION = new RegExp(`\\\\versions\\\\([\\w.+-]+)\\\\${literally(PROGRAM_NAME)}\\s*$`, 'i');
const PROCESS = new RegExp(`^\\s*(\\d+)\\s.*\\\\${literally(PROGRAM_NAME)}\\s*$`, 'i');

/**
 * Name of the version's folder in what `nssm get ai-fabric-agent Application` prints. Letters before it may be lost: the
 * output is read as UTF-8.
 *
 * @returns `null` where the service runs no version of ours
 */
export function parseApplication(output: string): string | null {
  return APPLICATION.exec(lettersOf(output).trim())?.[1] ?? null;
}

/**
 * The agent's process in what `nssm processes ai-fabric-agent` prints: the wrapper, what it started, and what that started,
 * each with its path.
 *
 *          32 C:\Program Files\AI Fabric Agent\nssm.exe
 *          44   C:\Program Files\AI Fabric Agent\versions\0.2.0-abababababab\ai-fabric-agent.exe
 *
 * @returns `null`: it does not run
 */
export function parseAgentProcess(output: string): number | null {
  for (const line of lettersOf(output).split(/\r?\n/)) {
    const pid = PROCESS.exec(line)?.[1];
    if (pid !== undefined) return Number(pid);
  }
  return null;
}

function literally(text: string): string {
  return text.replaceAll('.', '\\.');
}
